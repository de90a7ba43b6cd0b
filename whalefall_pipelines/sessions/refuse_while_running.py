"""Refuses what a running session must not meet."""

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.store import list_running
from whalefall_pipelines.store.database import Database


def refuse_while_running(database: Database) -> None:
    """Refuse what a running session must not meet.

    Raises:
        InputError: one runs; the sentence names it.
    """
    running = list_running(database)
    if running:
        raise InputError(
            f"Session {running[0].session_id} is running, and this would change its ground: wait for it, or end it with "
            f"`whalefall sessions cancel {running[0].session_id}`."
        )
