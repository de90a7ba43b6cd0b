"""What has no month of its own and expires all the same: how old it may become, and what the whole installation takes on disk.

Months are `table_partitions.py`. Counting and deleting rows is `retention/expire_rows.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class RowKind(StrEnum):
    """Rows that expire, in the order in which they are deleted: what refers to others goes before them."""

    GAPS = "gaps"
    RECORDS = "records"
    SESSIONS = "sessions"
    EVENTS = "dagster events"


@dataclass(frozen=True, slots=True)
class RowRules:
    """What is kept: everything of sessions and of Dagster's events that is younger than so many days, and every gap of a kept day."""

    oldest_day: date
    session_days: int
    event_days: int

    def before(self, kind: RowKind, today: date) -> date:
        """The day before which rows of a kind expire."""
        if kind is RowKind.GAPS:
            return self.oldest_day
        return today - timedelta(days=self.event_days if kind is RowKind.EVENTS else self.session_days)


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """So many rows of a kind are older than they are kept; `why` says what is kept."""

    kind: RowKind
    before: date
    rows: int
    why: str


WHY: Mapping[RowKind, str] = {
    RowKind.GAPS: "gaps go with their days",
    RowKind.RECORDS: "older than WHALEFALL_SESSION_RETENTION_DAYS",
    RowKind.SESSIONS: "older than WHALEFALL_SESSION_RETENTION_DAYS, and no kept day and no retry refers to them",
    RowKind.EVENTS: "of ended runs older than WHALEFALL_EVENT_RETENTION_DAYS, and of no asset and no check",
}
# Growth is measured over so many days where there are as many.
GROWTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the installation takes on disk, in bytes by kind, and what it took on an earlier day; empty when that is unknown."""

    sizes: Mapping[str, int]
    earlier: Mapping[str, int]
    earlier_on: date | None
    today: date

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return sum(self.sizes.values())

    def growth_bytes(self, kinds: Sequence[str]) -> int | None:
        """By how many bytes a day these kinds have grown since the earlier day; None while there is none."""
        if self.earlier_on is None or self.earlier_on >= self.today:
            return None
        grown = sum(self.sizes.get(kind, 0) - self.earlier.get(kind, 0) for kind in kinds)
        return round(grown / (self.today - self.earlier_on).days)
