"""The `whalefall` command: `main.py` combines the commands of the areas."""
