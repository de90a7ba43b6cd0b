"""The monitored servers: one adapter per engine, behind the Protocol in `probe.py`. `connect.py` selects the adapter."""
