"""`whalefall alerts`: what is wrong, who knows of it, and the messages that tell it. `rules.py` has `whalefall alerts rules`."""

import getpass
from dataclasses import asdict
from datetime import date, datetime

import click

from whalefall_pipelines.alerts import configure, handle
from whalefall_pipelines.alerts.cli.rules import rules
from whalefall_pipelines.alerts.deliver import send_alerts
from whalefall_pipelines.alerts.handle import MOST_MUTE_DAYS, ListedAlert, Selected
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import PARTIAL, Form, cell, json_option, leave, list_options, note, print_json, print_table

_COLUMNS = ("alert_id", "severity", "status", "subject", "sentence", "rule", "since", "muted")
_MUTES = ("mute_id", "rule_name", "instance_name", "database_name", "owner", "reason", "until_at")


@click.group()
def alerts() -> None:
    """Show alerts, acknowledge and mute them, and send their messages."""


@alerts.command("list")
@click.option("--all", "with_all", is_flag=True, help="Also list pending and cleared alerts.")
@click.option("--mutes", is_flag=True, help="List the mutes instead.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Number of alerts.")
@list_options
def list_(*, with_all: bool, mutes: bool, limit: int, form: Form) -> None:
    """List the alerts that are open or acknowledged, the most urgent first."""
    now = system_clock()
    with open_store(load_settings()) as database:
        if mutes:
            rows = [asdict(muted) for muted in handle.list_mutes(database, now)]
            print_table(_MUTES, rows, form=form, empty="Nothing is muted.")
            return
        listed = handle.list_alerts(database, now, Selected(with_all=with_all, most=limit + 1))
    print_table(_COLUMNS, [_row(alert) for alert in listed[:limit]], form=form, empty="Nothing is wrong.", droppable=("rule", "muted"))
    if len(listed) > limit:
        note(f"There are more than {counted(limit, 'alert')}; use --limit to list more.")


@alerts.command()
@click.argument("alert_id", type=int)
@json_option
def show(*, alert_id: int, as_json: bool) -> None:
    """Show an alert and its history."""
    with open_store(load_settings()) as database:
        alert, events = handle.show_alert(database, alert_id, system_clock())
    if as_json:
        print_json({**asdict(alert), "events": [asdict(event) for event in events]})
        return
    click.echo(f"{alert.severity}, {alert.status}: {cell(alert.subject)}: {cell(alert.sentence)}")
    if alert.acknowledged_by:
        click.echo(f"acknowledged by {cell(alert.acknowledged_by)}: {cell(alert.acknowledged_note or 'without a note')}")
    rows = [asdict(event) for event in events]
    print_table(("day", "event", "severity", "person", "note"), rows, empty="Nothing happened to it yet.")


@alerts.command()
@click.argument("alert_id", type=int)
@click.option("--note", "text", help="What you know about it.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The last day; by default until the alert is over.")
def ack(*, alert_id: int, text: str | None, until: datetime | None) -> None:
    """Acknowledge an alert. No further messages are sent unless it becomes worse."""
    last_day: date | None = until and until.date()
    with open_store(load_settings()) as database:
        handle.acknowledge_alert(database, alert_id, getpass.getuser(), now=system_clock(), note=text, until=last_day)
    note(f"The alert {alert_id} is acknowledged{f' until {last_day}' if last_day else ' until it is over'}.")


@alerts.command()
@click.option("--rule", "rule_name", help="Only alerts of this rule.")
@click.option("--instance", "instance_name", help="Only alerts about this server and its databases.")
@click.option("--database", "database_name", help="Only alerts about this database of the server.")
@click.option("--days", type=click.IntRange(1, MOST_MUTE_DAYS), required=True, help="Number of days until it expires.")
@click.option("--reason", required=True, help="Why no messages are to be sent.")
def mute(*, rule_name: str | None, instance_name: str | None, database_name: str | None, days: int, reason: str) -> None:
    """Send no messages about a rule, a server or a database for some days. Alerts that are still open then are sent."""
    with open_store(load_settings()) as database:
        muted = handle.mute(
            database,
            getpass.getuser(),
            reason,
            now=system_clock(),
            days=days,
            rule_name=rule_name,
            instance_name=instance_name,
            database_name=database_name,
        )
    note(f"Mute {muted.mute_id} ends at {muted.until_at:%Y-%m-%d %H:%M}; `whalefall alerts unmute {muted.mute_id}` ends it now.")


@alerts.command()
@click.argument("mute_id", type=int)
def unmute(*, mute_id: int) -> None:
    """End a mute now."""
    with open_store(load_settings()) as database:
        handle.unmute(database, mute_id, system_clock())
    note(f"Mute {mute_id} is over.")


@alerts.command("test-channel")
@click.argument("channel")
def test_channel(*, channel: str) -> None:
    """Send a test message to a channel at once."""
    settings = load_settings()
    with open_store(settings) as database:
        configure.test_channel(database, settings, channel, system_clock)
    note(f"The channel {cell(channel)} took the test message.")


@alerts.command()
@click.option("--retry-failed", is_flag=True, help="Also retry messages that failed three times.")
@json_option
def send(*, retry_failed: bool, as_json: bool) -> None:
    """Evaluate what is due, and deliver what is queued. Dagster's sensor does the same; cron may do it without Dagster.

    Exit codes: 0 everything was delivered, 1 something was not.
    """
    settings = load_settings()
    with open_store(settings) as database:
        if retry_failed:
            handle.retry_undelivered(database, system_clock())
        delivered = send_alerts(database, settings, system_clock)
    if as_json:
        print_json(asdict(delivered))
    else:
        evaluated = delivered.evaluated
        note(f"{evaluated.day or 'No day'} was evaluated; {counted(evaluated.changed, 'alert')} changed.")
        sent, failed = counted(delivered.sent, "message was", "messages were"), counted(delivered.failed, "was", "were")
        note(f"{sent} sent, {counted(delivered.deferred, 'is', 'are')} tried again, {failed} given up.")
        for problem in delivered.problems:
            click.echo(cell(problem), err=True)
    if delivered.problems:
        leave(PARTIAL)


def _row(alert: ListedAlert) -> dict[str, object]:
    return {
        "alert_id": alert.alert_id,
        "severity": alert.severity,
        "status": alert.status,
        "subject": alert.subject,
        "sentence": alert.sentence,
        "rule": alert.rule_name,
        "since": alert.opened_on,
        "muted": alert.is_muted,
    }


alerts.add_command(rules)
