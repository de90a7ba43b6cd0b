"""The commands of the alerts area."""
