"""What the system does, a verb a module: plain functions over a store and a fleet, the same for Dagster, the CLI and the tests."""
