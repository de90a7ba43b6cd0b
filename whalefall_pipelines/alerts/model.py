"""Rules, alerts, and what a channel knows of them: the values that the modules of this room pass around. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Figures = Mapping[str, int | float | str | None]


class Severity(StrEnum):
    """How urgent an alert is. In the Dagster UI, `warning` is WARN and `critical` is ERROR."""

    INFO = "info"
    """Worth knowing; it is told once, with others in one message."""
    WARNING = "warning"
    """To be looked at within days."""
    CRITICAL = "critical"
    """To be looked at today."""

    @property
    def rank(self) -> int:
        """Its place in the order of urgency."""
        return list(Severity).index(self)


class Status(StrEnum):
    """pending → open → acknowledged → cleared; see `sync_state_moves`."""

    PENDING = "pending"
    """The condition is met, but not yet on enough successive days."""
    OPEN = "open"
    """It was met on enough days. Messages are sent."""
    ACKNOWLEDGED = "acknowledged"
    """A person has seen it. Nothing is sent unless it becomes worse."""
    CLEARED = "cleared"
    """It is over."""

    @property
    def is_live(self) -> bool:
        """Whether it is not over."""
        return self is not Status.CLEARED


class Event(StrEnum):
    """What happened to an alert; each is a row of `alert_events`."""

    PENDING = "pending"
    DROPPED = "dropped"
    OPENED = "opened"
    REOPENED = "reopened"
    WORSE = "worse"
    AGAIN = "again"
    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGEMENT_ENDED = "acknowledgement_ended"
    CLEARED = "cleared"


class Kind(StrEnum):
    """Why a message is sent."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSE = "worse"
    AGAIN = "again"
    REMINDER = "reminder"
    CLEARED = "cleared"
    DIGEST = "digest"
    COMMON_CAUSE = "common_cause"
    REPORT = "report"
    TEST = "test"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What an alert is about: a database, a server (without `database_id`), or the fleet (without both). Numbers are never part of it."""

    instance_id: int | None = None
    database_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition with its thresholds, for the servers with all of these tags."""

    rule_id: int
    rule_name: str
    condition: str
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    thresholds: Mapping[str, int] = field(default_factory=dict[str, int])
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as a person writes it, with figures and the severity that they must have."""

    rule: Rule
    examples: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What the statement of a condition returned for a subject: at least near its threshold. `occurred_on` is the day of an event."""

    subject: Subject
    figures: Figures
    occurred_on: date | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of a subject on a day. A condition that is near its threshold is met by no severity, and is no reason to clear."""

    is_known: bool = True
    is_near: bool = False
    severity: Severity | None = None
    figures: Figures | None = None
    occurred_on: date | None = None


UNKNOWN, CLEAR = Observation(is_known=False), Observation()


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule for one subject. `episode` counts how often it was open, so that messages of two episodes are not confused."""

    rule_id: int
    subject: Subject
    alert_id: int | None = None
    status: Status = Status.CLEARED
    severity: Severity = Severity.INFO
    # the highest severity since it opened: only what is above it is worse
    peak_severity: Severity = Severity.INFO
    figures: Figures = field(default_factory=dict[str, int | float | str | None])
    occurred_on: date | None = None
    episode: int = 0
    flaps: int = 0
    met_days: int = 0
    clear_days: int = 0
    opened_on: date | None = None
    cleared_on: date | None = None
    unknown_since: date | None = None
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None
    acknowledged_until: date | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel was told of an alert."""

    alert_id: int
    channel_id: int
    episode: int
    severity: Severity
    occurred_on: date | None
    sent_count: int
    last_at: datetime
    is_cleared: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go. The URL and the signing key are references, such as env:NAME; their content is never stored."""

    channel_id: int
    channel_name: str
    kind: str
    url: str = field(repr=False)
    signing_key: str | None = field(default=None, repr=False)
    least_severity: Severity = Severity.INFO
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    most_per_hour: int = 20
    has_reports: bool = True


@dataclass(frozen=True, slots=True)
class Blackout:
    """A window in which messages about servers with these tags wait: it begins at each tick of `cron`."""

    blackout_name: str
    cron: str
    minutes: int
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    passes_critical: bool = False


@dataclass(frozen=True, slots=True)
class Mute:
    """Messages that a person does not want until an instant. None means any."""

    mute_id: int
    owner: str
    reason: str
    until_at: datetime
    rule_id: int | None = None
    instance_id: int | None = None
    database_id: int | None = None

    def silences(self, alert: Alert) -> bool:
        """Whether it covers this alert."""
        asked = (self.rule_id, self.instance_id, self.database_id)
        has = (alert.rule_id, alert.subject.instance_id, alert.subject.database_id)
        return all(wanted in {None, value} for wanted, value in zip(asked, has, strict=True))


@dataclass(frozen=True, slots=True)
class Due:
    """An alert of which a channel is to be told, and why."""

    alert: Alert
    kind: Kind


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one channel, about one alert or several."""

    channel_id: int
    kind: Kind
    told: tuple[Due, ...]
