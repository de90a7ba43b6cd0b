"""What is wrong, who has acknowledged it, what is muted, and which messages were not delivered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from whalefall_pipelines.alerts.evaluate import last_evaluation
from whalefall_pipelines.alerts.handle import ListedAlert, Selected, list_alerts, list_mutes, list_undelivered, show_alert, without_names
from whalefall_pipelines.alerts.model import Status
from whalefall_pipelines.console.actions.alerts import ACKNOWLEDGE, MUTE, UNMUTE
from whalefall_pipelines.console.blocks import Block, Forms, Links, Note, Page, Table, Tone, Value, day, instant, text
from whalefall_pipelines.console.urls import alert_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.store.database import Database

_MOST = 500


def alerts_page(database: Database, now: datetime) -> Page:
    """The alerts that are not over, the mutes, and what was not delivered. Names of accounts are on the page of access only."""
    listed = list_alerts(database, now, Selected(with_all=True, most=_MOST + 1))
    alerts = [without_names(alert) for alert in listed[:_MOST]]
    is_open = [alert for alert in alerts if alert.status in {Status.OPEN, Status.ACKNOWLEDGED}]
    mutes = list_mutes(database, now)
    blocks: list[Block] = [
        Note(Tone.PROBLEM, f"A message to {message.channel_name} was given up: {message.subject}", message.error)
        for message in list_undelivered(database)[:5]
    ]
    if len(listed) > _MOST:
        limited = f"Only the {_MOST} most urgent alerts are shown, and are in the CSV file."
        blocks.append(Note(Tone.WARNING, limited, "`whalefall alerts list --all` lists more."))
    if last_evaluation(database) is None and not alerts:
        blocks.append(Note(Tone.WARNING, "No day has been evaluated yet.", "Dagster's schedules do so while `whalefall up` runs."))
    blocks.append(_table("open", "Open", is_open, "No alert is open."))
    blocks += [Forms([MUTE.form()]), Links([text("The report of the last week", "/report")])]
    if mutes:
        rows = [
            (
                text(muted.rule_name or "any"),
                text("/".join(filter(None, (muted.instance_name, muted.database_name))) or "any"),
                text(muted.owner),
                text(muted.reason),
                instant(muted.until_at, database.timezone),
            )
            for muted in mutes
        ]
        blocks.append(Table("mutes", "Mutes", ("Rule", "About", "Owner", "Why", "Until"), rows))
        endings = [UNMUTE.form({"mute_id": str(muted.mute_id)}) for muted in mutes[:20]]
        blocks.append(Forms([replace(form, title=f"End the mute of {muted.owner}") for form, muted in zip(endings, mutes, strict=False)]))
    blocks.append(
        _table("others", "Pending and cleared", [alert for alert in alerts if alert not in is_open], "No alert is pending or was cleared.")
    )
    unseen = sum(alert.status is Status.OPEN for alert in is_open)
    open_alerts, active_mutes = counted(len(is_open), "alert is", "alerts are"), counted(len(mutes), "mute is", "mutes are")
    return Page("Alerts", f"{open_alerts} open, {unseen} not acknowledged. {active_mutes} active.", blocks)


def alert_page(database: Database, now: datetime, alert_id: int) -> Page:
    """One alert and what happened to it.

    Raises:
        NotFoundError: there is none.
    """
    shown, events = show_alert(database, alert_id, now)
    alert = without_names(shown)
    blocks: list[Block] = [_table("alert", "Now", [alert], "")]
    if alert.status is Status.OPEN:
        blocks.append(Forms([ACKNOWLEDGE.form({"alert_id": str(alert_id)}), MUTE.form(_covered(alert))]))
    rows = [(day(event.day), text(event.event), text(event.severity), text(event.person), text(event.note)) for event in events]
    blocks.append(Table("events", "What happened", ("Day", "Event", "Severity", "Person", "Note"), rows))
    return Page(f"Alert {alert_id}", f"{alert.subject}: {alert.sentence}.", blocks)


def _covered(alert: ListedAlert) -> dict[str, str]:
    return {"rule_name": alert.rule_name, "instance_name": alert.instance_name or "", "database_name": alert.database_name or ""}


def _table(key: str, title: str, alerts: Sequence[ListedAlert], empty: str) -> Table:
    columns = ("Alert", "Severity", "Status", "About", "What", "Rule", "Since", "Acknowledged or muted")
    return Table(key, title, columns, [_row(alert) for alert in alerts], empty)


def _row(alert: ListedAlert) -> tuple[Value, ...]:
    seen = alert.acknowledged_by or ("muted" if alert.is_muted else None)
    return (
        Value(str(alert.alert_id), alert.alert_id, url=alert_url(alert.alert_id), is_number=True),
        text(alert.severity),
        text(f"{alert.status}, unknown since {alert.unknown_since}" if alert.unknown_since else str(alert.status)),
        text(alert.subject, server_url(alert.instance_name) if alert.instance_name else None),
        text(alert.sentence),
        text(alert.rule_name),
        day(alert.opened_on),
        text(seen),
    )
