"""The commands of the classification area."""
