"""The `whalefall` command, thin: one module per area, `main.py` puts them together."""
