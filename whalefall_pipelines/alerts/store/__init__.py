"""The alerts area in the store: `alerts.py` has the alerts, `rules.py` what is watched, `outbox.py` the messages."""
