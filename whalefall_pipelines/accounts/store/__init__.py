"""The accounts area in the store: `versions.py` writes an observation, `reports.py` and `privileges.py` read any day."""
