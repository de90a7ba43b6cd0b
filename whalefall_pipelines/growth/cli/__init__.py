"""The command of the area of growth."""
