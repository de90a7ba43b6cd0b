"""Dagster, thin: assets, checks, schedules and sensors that call `services/`. Nothing here has a rule or a statement of its own."""
