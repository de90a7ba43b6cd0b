"""A toy area, as a newcomer would add one: `cli/test_toy_area.py` copies it into a copy of the package."""
