"""Accounts: who can get into which server, through what, and since when."""

from whalefall_pipelines.accounts.columns import COLUMNS
from whalefall_pipelines.area import Area

AREA = Area(
    __name__,
    commands={"accounts": "Show who can get into the servers, with which privileges, and since when."},
    has_definitions=True,
    has_router=True,
    automations=("sync_accounts_every_night", "retry_unread_accounts"),
    has_grants=True,
    columns=COLUMNS,
    questions=("accounts",),
)
