"""The rules for rows that expire outside the monthly tables, and the disk usage of the whole installation.

`maintenance.py` has the rules for months. `expire_rows.py` counts and deletes rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class RowKind(StrEnum):
    """The kinds of rows that expire, in the order of deletion: referencing rows come before referenced ones."""

    GAPS = "gaps"
    ACCOUNTS = "accounts"
    RECORDS = "records"
    SESSIONS = "sessions"
    REQUESTS = "requests"
    TOKENS = "tokens"
    EVENTS = "dagster events"


@dataclass(frozen=True, slots=True)
class RowRules:
    """What is kept: what accounts were, sessions, requests, and Dagster events for a number of days, and every gap of a kept day."""

    oldest_day: date
    account_days: int
    session_days: int
    audit_days: int
    event_days: int

    def before(self, kind: RowKind, today: date) -> date:
        """The day before which rows of a kind expire."""
        if kind is RowKind.GAPS:
            return self.oldest_day
        audited = dict.fromkeys((RowKind.REQUESTS, RowKind.TOKENS), self.audit_days)
        kept = {RowKind.ACCOUNTS: self.account_days, RowKind.EVENTS: self.event_days, **audited}
        return today - timedelta(days=kept.get(kind, self.session_days))


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """The number of expired rows of one kind. `why` explains the rule."""

    kind: RowKind
    before: date
    rows: int
    why: str


WHY: Mapping[RowKind, str] = {
    RowKind.GAPS: "gaps expire with their days",
    RowKind.ACCOUNTS: "what accounts were and might do until WHALEFALL_ACCOUNT_RETENTION_DAYS ago",
    RowKind.RECORDS: "older than WHALEFALL_SESSION_RETENTION_DAYS",
    RowKind.SESSIONS: "older than WHALEFALL_SESSION_RETENTION_DAYS, and no kept day and no retry refers to them",
    RowKind.REQUESTS: "of the audit log, older than WHALEFALL_AUDIT_RETENTION_DAYS",
    RowKind.TOKENS: "expired or revoked WHALEFALL_AUDIT_RETENTION_DAYS ago",
    RowKind.EVENTS: "of ended runs older than WHALEFALL_EVENT_RETENTION_DAYS, except events of assets and checks",
}
# Growth is measured over this many days, or over fewer if there are not as many.
GROWTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Footprint:
    """The disk usage of the installation in bytes by kind, now and on an earlier day; empty if that is unknown."""

    sizes: Mapping[str, int]
    earlier: Mapping[str, int]
    earlier_on: date | None
    today: date

    @property
    def total_bytes(self) -> int:
        """The sum of all kinds."""
        return sum(self.sizes.values())

    def growth_bytes(self, kinds: Sequence[str]) -> int | None:
        """The growth of these kinds in bytes per day since the earlier day; None if there is no earlier day."""
        if self.earlier_on is None or self.earlier_on >= self.today:
            return None
        grown = sum(self.sizes.get(kind, 0) - self.earlier.get(kind, 0) for kind in kinds)
        return round(grown / (self.today - self.earlier_on).days)
