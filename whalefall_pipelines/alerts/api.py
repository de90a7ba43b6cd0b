"""The routes of alerts: list, show, acknowledge, mute; the rules, and the messages that were given up. Names of accounts need access."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from whalefall_pipelines.alerts import configure, handle
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.handle import MOST_MUTE_DAYS, ListedAlert, Selected, without_names
from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.callers import Caller, Scope
from whalefall_pipelines.api_base.filters import LARGEST_ID, TEXT
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import CallerOf, ServicesOf
from whalefall_pipelines.errors import InputError, NotFoundError

ROUTES = Routes("alerts")
AlertId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The alert.")]
MuteId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The mute.")]


@dataclass(frozen=True, slots=True)
class EventView:
    """What happened to an alert."""

    event: str
    day: date
    happened_at: datetime
    severity: str
    person: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class AlertSheet:
    """An alert, and what happened to it, the newest first."""

    alert: ListedAlert
    events: tuple[EventView, ...]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with the values of all its thresholds."""

    rule_name: str
    condition: str
    tags: dict[str, str]
    thresholds: dict[str, int]
    is_active: bool
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class MuteView:
    """A mute. It covers any rule, instance or database whose name is null."""

    mute_id: int
    rule_name: str | None
    instance_name: str | None
    database_name: str | None
    owner: str
    reason: str
    created_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class UndeliveredView:
    """A message that was given up after three attempts."""

    message_id: UUID
    channel_name: str
    subject: str
    created_at: datetime
    error: str


class Acknowledgement(BaseModel):
    """A note, and the last day of the acknowledgement; by default until the alert is over."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(default=None, max_length=1000, pattern=TEXT)
    until: date | None = None


class NewMute(BaseModel):
    """A new mute, its reason, and its number of days. It needs the name of a rule or an instance."""

    model_config = ConfigDict(extra="forbid")

    rule_name: str | None = Field(default=None, max_length=512, pattern=TEXT)
    instance_name: str | None = Field(default=None, max_length=512, pattern=TEXT)
    database_name: str | None = Field(default=None, max_length=512, pattern=TEXT)
    reason: str = Field(min_length=1, max_length=1000, pattern=TEXT)
    days: int = Field(ge=1, le=MOST_MUTE_DAYS)


@ROUTES.get("/alerts")
def list_alerts(
    services: ServicesOf,
    caller: CallerOf,
    paging: PagingOf,
    with_all: Annotated[bool, Query(description="Also list pending and cleared alerts.")] = False,
) -> Page[ListedAlert]:
    """List the alerts that are open or acknowledged, the most urgent first."""
    after = paging.after_values("after_id")["after_id"]
    selected = Selected(with_all=with_all, after_id=after and int(after), skipped=paging.offset, most=paging.limit + 1)
    listed = handle.list_alerts(services.reader, services.clock(), selected)
    return paging.page_of([_readable(alert, caller) for alert in listed], "alert_id")


@ROUTES.get("/alerts/{alert_id}")
def get_alert(services: ServicesOf, caller: CallerOf, alert_id: AlertId) -> AlertSheet:
    """Show an alert and its history."""
    return _sheet(services, caller, alert_id)


@ROUTES.post("/alerts/{alert_id}/actions/acknowledge")
def acknowledge_alert(services: ServicesOf, caller: CallerOf, alert_id: AlertId, body: Acknowledgement) -> AlertSheet:
    """Acknowledge an alert. No further messages are sent unless it becomes worse."""
    try:
        handle.acknowledge_alert(services.writer, alert_id, caller.name, now=services.clock(), note=body.note, until=body.until)
    except NotFoundError:
        raise
    except InputError as error:
        raise Refusal(409, "CONSTRAINT_VIOLATION", str(error)) from None
    return _sheet(services, caller, alert_id)


@ROUTES.get("/alert-rules")
def list_alert_rules(services: ServicesOf) -> tuple[RuleView, ...]:
    """List the rules with their thresholds."""
    return tuple(
        RuleView(
            stored.rule.rule_name,
            stored.rule.condition,
            dict(stored.rule.tags),
            dict(CONDITIONS[stored.rule.condition].values(stored.rule.thresholds)),
            stored.rule.is_active,
            stored.changed_by,
            stored.changed_at,
        )
        for stored in configure.list_rules(services.reader)
    )


@ROUTES.get("/alert-mutes")
def list_alert_mutes(services: ServicesOf) -> tuple[MuteView, ...]:
    """List the mutes that are not over."""
    return tuple(
        MuteView(
            muted.mute_id,
            muted.rule_name,
            muted.instance_name,
            muted.database_name,
            muted.owner,
            muted.reason,
            muted.created_at,
            muted.until_at,
        )
        for muted in handle.list_mutes(services.reader, services.clock())
    )


@ROUTES.post("/alert-mutes", status=201, problems=(404,))
def create_alert_mute(services: ServicesOf, caller: CallerOf, body: NewMute) -> Reply[MuteView]:
    """Send no messages about a rule, a server or a database for some days. Alerts that are still open then are sent."""
    now = services.clock()
    muted = handle.mute(
        services.writer,
        caller.name,
        body.reason,
        now=now,
        days=body.days,
        rule_name=body.rule_name,
        instance_name=body.instance_name,
        database_name=body.database_name,
    )
    names = (body.rule_name, body.instance_name, body.database_name)
    view = MuteView(muted.mute_id, *names, muted.owner, muted.reason, now, muted.until_at)
    return Reply(view, "muted", 201)


@ROUTES.delete("/alert-mutes/{mute_id}", Scope.OPERATE)
def end_alert_mute(services: ServicesOf, mute_id: MuteId) -> int:
    """End a mute now, and return its identifier."""
    handle.unmute(services.writer, mute_id, services.clock())
    return mute_id


@ROUTES.get("/alert-messages/undelivered")
def list_undelivered_messages(services: ServicesOf) -> tuple[UndeliveredView, ...]:
    """List the messages that were given up after three attempts."""
    return tuple(
        UndeliveredView(message.message_id, message.channel_name, message.subject, message.created_at, message.error)
        for message in handle.list_undelivered(services.reader)
    )


def _sheet(services: ServicesOf, caller: Caller, alert_id: int) -> AlertSheet:
    alert, events = handle.show_alert(services.reader, alert_id, services.clock())
    views = tuple(EventView(event.event, event.day, event.happened_at, event.severity, event.person, event.note) for event in events)
    return AlertSheet(_readable(alert, caller), views)


def _readable(alert: ListedAlert, caller: Caller) -> ListedAlert:
    return alert if caller.may(Scope.READ, needs_access=True) else without_names(alert)
