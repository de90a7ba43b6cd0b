"""Accounts: who can get into which server, through what, and since when."""

from whalefall_pipelines.area import Area

AREA = Area(__name__, has_grants=True)
