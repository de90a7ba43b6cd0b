"""Days that are over: what nothing measured becomes a gap with its reason. Nothing here ever writes a size.

Days that can still be measured are `collect_capacity.py`.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from whalefall_pipelines.store import capacity
from whalefall_pipelines.store.database import Database


def fill_gaps(database: Database, days: Sequence[date], session_id: UUID) -> None:
    """Settle what these days, all over, expected and did not get. What was measured is not touched."""
    if days:
        capacity.freeze_uncollected_days(database, min(days), max(days), session_id)
