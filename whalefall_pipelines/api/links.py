"""Links that sign a browser in once, for the person at this terminal. The audit log has who made them."""

from datetime import datetime

from whalefall_pipelines.api import audit, tokens
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.store.database import Database


def sign_in_link(database: Database, url: str, person: str, *, command: str, now: datetime) -> str:
    """A link to the web process at this address that signs in once within LINK_MINUTES, with every right; the audit log has `command`."""
    secret = tokens.create_link(database, scope=Scope.ADMIN, has_access=True, created_by=person, now=now)
    audit.record_command(database, person, command, now)
    return f"{url}/sign-in?link={secret}"
