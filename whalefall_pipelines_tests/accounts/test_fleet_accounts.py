"""The assets of accounts as Dagster runs them, what people see of them, their checks, and their retries."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg

from whalefall_pipelines.accounts import checks
from whalefall_pipelines.accounts.assets import ACCOUNTS, PRIVILEGES, fleet_accounts
from whalefall_pipelines.accounts.sensors import retry_unread_accounts
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.accounts import UnreadScope
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.inventory.assets import instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, privilege
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.factories import query

TODAY = today(datetime.now(UTC), ZONE)
ALL = [checks.every_active_instance_was_observed, checks.no_account_gained_superuser, checks.nothing_is_unreadable_without_a_cure]


def scene_of(store: Database, home: Path, *names: str) -> AccountsTest:
    fleet = AccountsTest(store, home, {name: FakeServer() for name in names}, day=TODAY - timedelta(days=1), now=datetime.now(UTC))
    for name in names:
        fleet.hold(listing(account("admin", is_superuser=True), account("app")), facts(privilege("app", "SELECT")), name)
    return fleet


def run(fleet: AccountsTest, dagster_instance: dg.DagsterInstance, day: date) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [instances, fleet_accounts, *ALL],
        selection=dg.AssetSelection.assets(ACCOUNTS, PRIVILEGES),
        partition_key=day.isoformat(),
        resources={"whalefall": bound(fleet.store, settings=load_settings({})), "servers": bound_servers(fleet.store, fleet.collection)},
        instance=dagster_instance,
    )


def shown(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    events = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    (materialization,) = [event for event in events if event.asset_key == key]
    return {name: value.value for name, value in materialization.metadata.items()}


def outcomes_of_checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    return {check.check_name: (check.passed, str(check.description)) for check in result.get_asset_check_evaluations()}


def test_a_day_shows_what_changed_since_the_day_before(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    fleet = scene_of(store, tmp_path, "a", "b")
    fleet.now -= timedelta(days=1)
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(
        listing(account("admin", is_superuser=True), account("app", is_superuser=True), account("newcomer")),
        facts(privilege("app", "DELETE"), unread=[UnreadScope(Reason.SERVER_ERROR, "definers are not shown", database_name="crm")]),
    )
    result = run(fleet, dagster_instance, TODAY)
    accounts, privileges = shown(result, ACCOUNTS), shown(result, PRIVILEGES)
    assert {name: accounts[name] for name in ("instances", "accounts", "new", "gone", "superusers", "unread_scopes")} == {
        "instances": 2,
        "accounts": 5,
        "new": 1,
        "gone": 0,
        "superusers": 3,
        "unread_scopes": 1,
    }
    assert privileges["changed_privileges"] == 2
    assert "| a | app | is\\_superuser: False → True |" in str(accounts["changed accounts"])
    assert f"| a | app | DELETE on table shop.orders.invoices granted | {TODAY - timedelta(days=1)} |" in str(
        privileges["granted and revoked"]
    )
    assert "| a | app | SELECT on table shop.orders.invoices revoked |" in str(privileges["granted and revoked"])
    assert outcomes_of_checks(result) == {
        "every_active_instance_was_observed": (True, "every active instance was observed"),
        "no_account_gained_superuser": (False, "1 new superuser: a/app"),
        "nothing_is_unreadable_without_a_cure": (False, "1 unreadable without a known fix: a: privileges in crm (server_error)"),
    }
    session = sessions.get_session(store, UUID(str(accounts["session_id"])))
    assert (session.sync_category, session.status, session.successful_instances) == (SyncCategory.ACCOUNT, SessionStatus.COMPLETED, 2)


def test_a_past_day_is_not_observed_and_connects_to_no_server(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    fleet = scene_of(store, tmp_path, "a")
    result = run(fleet, dagster_instance, TODAY - timedelta(days=3))
    assert fleet.servers["a"].probes == 0
    assert shown(result, ACCOUNTS)["accounts"] == 0
    assert not outcomes_of_checks(result)["every_active_instance_was_observed"][0]


def test_a_dead_server_costs_only_itself_and_is_retried(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    fleet = scene_of(store, tmp_path, "a", "dead")
    fleet.servers["dead"].refusal = UnreachableError("down", reason=Reason.CONNECTION_REFUSED)
    result = run(fleet, dagster_instance, TODAY)
    assert outcomes_of_checks(result)["every_active_instance_was_observed"] == (False, "1 was not observed: dead")
    assert query(store, "select count(*) from instance_accounts") == [(2,)]

    class Later(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

        def installation(self) -> Settings:
            return load_settings({})

        def now(self) -> datetime:
            return min(datetime.now(UTC) + timedelta(minutes=16), datetime.combine(TODAY, datetime.max.time(), ZONE).astimezone(UTC))

    context = dg.build_sensor_context(instance=dagster_instance, resources={"whalefall": Later()})
    data = retry_unread_accounts.evaluate_tick(context)
    assert [request.run_config for request in data.run_requests or []] == [{"ops": {"fleet_accounts": {"config": {"instances": ["dead"]}}}}]
    fleet.servers["dead"].refusal = None
    run(fleet, dagster_instance, TODAY)
    assert not retry_unread_accounts.evaluate_tick(context).run_requests
