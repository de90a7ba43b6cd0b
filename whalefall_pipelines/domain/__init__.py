"""The domain model without I/O, clock or Dagster: frozen dataclasses and pure functions. domain.md explains it."""
