"""The commands of the area."""
