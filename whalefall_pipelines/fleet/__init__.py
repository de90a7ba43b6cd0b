"""The monitored servers: one adapter a module, all behind the Protocol in `probe.py`; `connect.py` picks the adapter."""
