"""Refuses changes that are unsafe while a session is running."""

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.store import list_running
from whalefall_pipelines.store.database import Database


def refuse_while_running(database: Database) -> None:
    """Refuse a change that is unsafe while a session is running.

    Raises:
        InputError: a session is running; the message names it.
    """
    running = list_running(database)
    if running:
        raise InputError(
            f"Session {running[0].session_id} is running, and this change would interfere with it. Wait until it ends, or end it with "
            f"`whalefall sessions cancel {running[0].session_id}`."
        )
