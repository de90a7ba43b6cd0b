"""A store in which every page has something to show, with names of the test's choice."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

from whalefall_pipelines.alerts.handle import mute
from whalefall_pipelines.api import tokens
from whalefall_pipelines.api.audit import record_command
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.edit_rules import install_rules
from whalefall_pipelines.console.app import PAGES
from whalefall_pipelines.domain.accounts import AccountKind
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSize, largest_tables
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member, privilege
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.classification.scene import SUPERUSER, rule, save
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import query

GB = 10**9
DAYS = 40
TABLE = "invoices"


@dataclass(frozen=True)
class Scene:
    """The names of servers; each server has a database, an account, a rule and more of the same name."""

    store: Database
    names: Sequence[str]
    day: date
    session_id: UUID

    def addresses(self, name: str) -> list[str]:
        """An address of each page; those of one server, database, account or rule are about this name."""
        of_database = {"server": name, "name": name}
        (alert_id,) = query(
            self.store, "select alert_id from alerts inner join instances using (instance_id) where name = %s order by 1 limit 1", name
        )[0]
        queries: Mapping[str, Mapping[str, object]] = {
            "/server": {"name": name},
            "/database": of_database,
            "/explain": of_database | {"day": self.day},
            "/account": of_database,
            "/rule": {"name": name, "server": name, "account": name, "days": 2},
            "/alert": {"id": alert_id},
            "/session": {"id": self.session_id},
            "/access": {"privilege": "DROP", "object": f"orders.{TABLE}", "tag": f"env={name}"},
        }
        return [f"{path}?{urlencode(queries[path])}" if path in queries else path for path in PAGES]


def furnish(store: Database, home: Path, names: Sequence[str], now: datetime) -> Scene:
    """Fill a store: forty days of every server, of which the last is silent today, and something of everything else."""
    day = now.astimezone(store.timezone).date()
    people = AccountsTest(store, home, {name: FakeServer() for name in names}, day=day, now=now)
    _write_sizes(store, people.instances, day)
    _write_tables(people, day)
    _read_accounts(people)
    save(store, home, *(rule(name, deepcopy(SUPERUSER)) for name in names))
    install_rules(store)
    classify_accounts(store, day)
    forecast_day(store, day, day)
    compute_periods(store, [period_of(PeriodType.MONTHLY, day)], day)
    _raise_alerts(store, people.instances, now)
    session_id = _hold_sessions(store, people.instances, day)
    for name in names:
        tokens.create_link(store, scope=Scope.READ, has_access=False, created_by=name, now=now)
        record_command(store, name, f"instances set {name}", now)
    return Scene(store, names, day, session_id)


def _write_sizes(store: Database, instances: Sequence[Instance], day: date) -> None:
    days = {
        ((instance.instance_id, database), day - timedelta(days=count)): ModelDay(GB * (60 - count) * size, count == 9)
        for instance in instances
        for size, database in enumerate((instance.name, "app"), 1)
        for count in range(DAYS)
    }
    silent = instances[-1]
    write_days(store, days | {((silent.instance_id, silent.name), day): ModelDay(None)})
    query(store, "insert into zones (name) values ('branch') on conflict do nothing returning 1")
    query(
        store,
        "update instances set capacity_limit_bytes = %s, tags = jsonb_build_object('env', name), "
        "zone = case when instance_id %% 2 = 0 then 'branch' end returning 1",
        250 * GB,
    )
    query(store, "update capacity_gaps set detail = database_name returning 1")


def _write_tables(people: AccountsTest, day: date) -> None:
    collector = TablesCollector(people.collection(), 1000)
    for instance in people.instances:
        table = TableSize("public", instance.name, TableKind.TABLE, GB, TableMethod.PG_TABLE_SIZE, GB)
        people.servers[instance.name].tables = {instance.name: largest_tables(instance.name, 2 * GB, [table], (), 1000)}  # type: ignore[dict-item]
        collector.collect_instance(instance, [instance.name])


def _read_accounts(people: AccountsTest) -> None:
    """Each server has a superuser, and an account that drops tables through two roles."""
    for name in people.servers:
        accounts = [account(name, is_superuser=True), account("clerk"), *(account(f"{name} {n}", kind=AccountKind.ROLE) for n in "12")]
        parts = [member("clerk", f"{name} 1"), member(f"{name} 1", f"{name} 2"), privilege(f"{name} 2", "OWNER", TABLE)]
        people.hold(listing(*accounts), facts(*parts), name)
    people.sync()


def _raise_alerts(store: Database, instances: Sequence[Instance], now: datetime) -> None:
    """Each server lost a database and is muted, and its channel does not deliver."""
    for instance in instances:
        name = instance.name
        figures = json.dumps({"database_name": name, "day": str(now.date()), "last_bytes": GB})
        query(
            store,
            "with opened as ("
            "insert into alerts (rule_id, instance_id, severity, peak_severity, figures, opened_on) "
            "select rule_id, %s, 'warning', 'warning', %s, %s from alert_rules where rule_name = 'vanished' returning alert_id) "
            "insert into alert_events (alert_id, event, day, severity, person, note) "
            "select alert_id, 'opened', %s, 'warning', %s, %s from opened returning 1",
            *(instance.instance_id, figures, now, now, name, name),
        )
        query(
            store,
            "with channel as (insert into alert_channels (channel_name, kind, url) values (%s, 'webhook', 'env:X') returning channel_id) "
            "insert into alert_outbox (message_id, channel_id, kind, subject, body, next_attempt_at, created_at, error) "
            "select gen_random_uuid(), channel_id, 'opened', %s, %s, now(), now(), %s from channel returning 1",
            *(name, name, name, name),
        )
        mute(store, name, name, now=now, days=7, instance_name=name)
    query(store, "update alerts set status = 'open' returning 1")
    query(store, "update alert_outbox set status = 'failed' returning 1")


def _hold_sessions(store: Database, instances: Sequence[Instance], day: date) -> UUID:
    """A session that failed for every server, and one that is running, whose identifier is the result."""
    failed, running = (SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day) for _ in range(2))
    sessions.open_session(store, failed, [instance.instance_id for instance in instances])
    for change in (
        "status = 'running', started_at = now()",
        "status = 'failed', completed_at = now(), error_code = 'SYNC_DATA_ERROR', error_message = i.name",
    ):
        records = f"update sync_instance_records as r set {change} from instances as i where i.instance_id = r.instance_id"
        query(store, f"{records} and session_id = %s returning 1", str(failed.session_id))
    sessions.abandon_session(store, failed.session_id, SessionStatus.FAILED, error_code="SYNC_DATA_ERROR", error_message=instances[-1].name)
    sessions.open_session(store, running, [instance.instance_id for instance in instances])
    return running.session_id
