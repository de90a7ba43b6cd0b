"""The commands of the accounts area."""
