"""Tests of what `deploy/` has, as far as it can be checked without an engine of containers."""
