"""One server: its total, its databases, and what is known of it."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from whalefall_pipelines.capacity.answers import HistoryDay
from whalefall_pipelines.capacity.ask import Answer, disk, history
from whalefall_pipelines.capacity.coverage import days_until
from whalefall_pipelines.console.actions import fleet
from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Forms,
    Links,
    Note,
    Page,
    Table,
    Tone,
    day,
    instant,
    size,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.pages.composition import beside_databases, disk_tables, probes_table, stacked_picture
from whalefall_pipelines.console.pages.coverage import coverage_picture
from whalefall_pipelines.console.pages.history import DAYS, Outlook, changes_table, forecast_table, history_picture
from whalefall_pipelines.console.urls import accounts_url, database_url, zone_url
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.domain.zones import name_of
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.forecasts.ask import series_outlook
from whalefall_pipelines.inventory.fleet import show_instance
from whalefall_pipelines.inventory.registration import KnownDatabase, RegisteredInstance
from whalefall_pipelines.sessions.show_sessions import last_probes
from whalefall_pipelines.store.database import Database

_COVERED_DAYS = 30


def server_page(database: Database, today: date, name: str) -> Page:
    """The page of a registered server.

    Raises:
        NotFoundError: no instance of this name is registered.
    """
    registered, databases = show_instance(database, name)
    accounts = Links([text("Its accounts", accounts_url(name))])
    beside_bytes, drawn = 0, list[Block]()
    try:
        answer = history(database, today, name, timedelta(days=DAYS))
    except (NotFoundError, InputError) as error:
        drawn.append(Note(Tone.WARNING, "There is no history to show.", str(error)))
    else:
        filled = disk(database, today, name, timedelta(days=DAYS))
        beside_bytes = beside_databases(filled)
        drawn += [*_history(database, registered, answer, beside_bytes), *disk_tables(filled)]
    blocks = [_actions(registered), _cards(registered, databases, beside_bytes, database.timezone), accounts, *drawn]
    probes = last_probes(database, registered.instance_id)
    return Page(name, _answer(registered, databases), [*blocks, _databases(name, databases), probes_table(probes, database.timezone)])


def _history(database: Database, registered: RegisteredInstance, answer: Answer[HistoryDay], beside_bytes: int) -> list[Block]:
    """What is drawn over time."""
    name = registered.entry.name
    forecasts, changes = series_outlook(database, registered.instance_id, None, answer.first_day)
    blocks: list[Block] = []
    if answer.rows:
        limit, outlook = registered.entry.capacity_limit_bytes, Outlook(forecasts, changes)
        blocks.append(history_picture(name, answer.rows, limit, outlook, beside_bytes=beside_bytes))
        blocks += stacked_picture(database, registered, answer.first_day, answer.last_day, beside_bytes)
        days = days_until(answer.last_day, _COVERED_DAYS)
        blocks.append(coverage_picture(f"Coverage of the last {_COVERED_DAYS} days", database, days, registered.instance_id))
    return [*blocks, forecast_table(forecasts), changes_table(changes)]


def _actions(registered: RegisteredInstance) -> Forms:
    instance_id = str(registered.instance_id)
    switch = fleet.DISABLE if registered.is_active else fleet.ENABLE
    actions = (fleet.TEST, fleet.COLLECT, fleet.READ_ACCOUNTS, switch)
    forms = [action.form({"instance_id": instance_id}) for action in actions]
    return Forms([*forms, fleet.change_form(registered), fleet.REMOVE.form({"instance_id": instance_id})])


def _answer(registered: RegisteredInstance, databases: tuple[KnownDatabase, ...]) -> str:
    entry = registered.entry
    active = sum(known.is_active for known in databases)
    state = "" if registered.is_active else " It is no longer collected."
    return f"{entry.engine} on {entry.host}, port {entry.port}, with {counted(active, 'database')}.{state}"


def _cards(registered: RegisteredInstance, databases: tuple[KnownDatabase, ...], beside_bytes: int, timezone: ZoneInfo) -> Cards:
    entry = registered.entry
    known = [database.total_bytes for database in databases if database.is_active and database.total_bytes is not None]
    limit, beside = entry.capacity_limit_bytes, f"; {round_size(beside_bytes)} are no database" if beside_bytes else ""
    return Cards(
        [
            Card("Size", size(sum(known)) if known else size(None), "of its databases, each as it was last known"),
            Card(
                "Limit",
                size(limit),
                f"{round_size(limit - beside_bytes - sum(known))} left{beside}" if limit is not None and known else "no limit is set",
            ),
            Card("Version", text(registered.server_version), "as the server says"),
            Card("Last connected", instant(registered.last_connected_at, timezone)),
            Card("Zone", text(name_of(entry.zone), zone_url(entry.zone)), "from where it is reached"),
            Card("Tags", text(", ".join(f"{key}={value}" for key, value in sorted(entry.tags.items())) or None)),
        ]
    )


def _databases(name: str, databases: tuple[KnownDatabase, ...]) -> Table:
    return Table(
        "databases",
        "Databases",
        ("Database", "Size", "Day", "Origin", "First seen", "Last seen", "Active", "Renamed from"),
        [
            (
                text(known.database_name, database_url(name, known.database_name)),
                size(known.total_bytes),
                day(known.stat_date),
                text(known.provenance),
                day(known.first_seen_date),
                day(known.last_seen_date),
                yes_or_no(known.is_active),
                text(known.renamed_from),
            )
            for known in sorted(databases, key=lambda known: -(known.total_bytes or 0))
        ],
        "No databases have been listed yet.",
    )
