"""The `whalefall` command: `main.py` puts the commands of the areas together."""
