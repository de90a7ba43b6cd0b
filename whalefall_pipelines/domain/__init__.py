"""Rules without I/O, clock or Dagster: frozen dataclasses and pure functions. What they mean is in domain.md."""
