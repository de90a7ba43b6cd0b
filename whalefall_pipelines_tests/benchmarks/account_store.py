"""What the store pays for accounts: an unchanged server, bytes of a fact and of a day, who can do what in a large fleet, and a large server
end to end, which runs in its own process so that its memory can be measured.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from whalefall_pipelines.accounts.snapshot import AccountSnapshot
from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome, write_snapshot
from whalefall_pipelines.domain.accounts import (
    Account,
    AccountAttributes,
    AccountKind,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    Origin,
    Scope,
)
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.benchmarks import accounts
from whalefall_pipelines_tests.benchmarks.crowd import peak_mebibytes
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.conftest import TIMEZONE, libpq_url
from whalefall_pipelines_tests.factories import query, register

INSTANCES, ACCOUNTS, FACTS = 200, 200, 8
COPIES = 4
ROUNDS = 7
MANY = accounts.MANY
_PASSWORD = "MONITOR_BENCHMARK_PASSWORD"
_DAY, _READ_AT = date(2026, 11, 22), datetime(2026, 11, 22, 1, tzinfo=UTC)
_TABLES = (
    "instance_accounts", "account_attributes", "account_attribute_sets", "account_membership_versions", "account_privileges",
    "account_privilege_facts", "account_reach_versions", "account_observations", "account_gaps",
)  # fmt: skip
_OTHERS: dict[str, object] = {
    "inherits": True, "can_create_roles": False, "can_create_databases": False, "can_replicate": False, "bypasses_row_security": False,
    "connection_limit": -1, "settings": [],
}  # fmt: skip


def snapshot(number: int, changed: Sequence[int] = ()) -> AccountSnapshot:
    """200 accounts of a server and PUBLIC, each with attributes, 2 memberships and 5 privileges. A `changed` one has another privilege."""
    names = [f"application_{account}" for account in range(ACCOUNTS)]
    listed = [
        Account(
            name, AccountKind.USER, str(16384 + place), attributes=AccountAttributes(can_login=True, is_superuser=False, others=_OTHERS)
        )
        for place, name in enumerate(names)
    ]
    memberships = [
        AccountMembership(names[place], names[role], inherits=True, can_set=True, can_admin=False, is_default=True)
        for place in range(20, ACCOUNTS)
        for role in (place % 20, (place + 7) % 20)
    ]
    # The first 20 are members of nothing, and have two privileges more.
    privileges = [
        _select(name, number, (place + step + (100 if place in changed and step == 0 else 0)) % 120)
        for place, name in enumerate(names)
        for step in range(FACTS - 1 if place < 20 else FACTS - 3)
    ]
    database = _database_of(number)
    entrance = [
        AccountPrivilege("public", Scope.DATABASE, database, None, None, None, "CONNECT", False, Origin.DEFAULT),
        AccountPrivilege("public", Scope.SCHEMA, database, "orders", None, None, "USAGE", False, Origin.GRANT),
    ]
    public = Account("public", AccountKind.ROLE, "0", is_built_in=True, is_everyone=True, attributes=AccountAttributes(can_login=False))
    return AccountSnapshot(
        AccountListing([public, *listed], AccountMethod.FAKE), AccountPrivileges(memberships, [*entrance, *privileges]), _READ_AT
    )


def _database_of(number: int) -> str:
    """Every tenth server has a database of its own; the others are alike."""
    return f"shop_{number}" if number % 10 == 0 else "shop"


def _select(name: str, number: int, table: int) -> AccountPrivilege:
    return AccountPrivilege(name, Scope.TABLE, _database_of(number), "orders", f"table_{table}", None, "SELECT", False, Origin.GRANT)


def store_fleet(store: Database, instances: Sequence[Instance], day: date, *, changed: bool = False) -> None:
    """Store a day; on a `changed` one, 1 % of the accounts have changed."""
    for number, instance in enumerate(instances):
        ones = [(number + step * 97) % ACCOUNTS for step in range(ACCOUNTS // 100)] if changed else []
        write_snapshot(store, instance, day, None, snapshot(number, ones), seconds=0)


def _stored_bytes(store: Database) -> int:
    statement = "select sum(pg_total_relation_size(name::regclass))::bigint from unnest(%s) as t (name)"
    return int(str(query(store, statement, list(_TABLES))[0][0]))


def _bytes(store: Database, instances: Sequence[Instance]) -> list[Figure]:
    empty = _stored_bytes(store)
    store_fleet(store, instances, _DAY)
    first = _stored_bytes(store)
    facts = INSTANCES * ACCOUNTS * FACTS
    store_fleet(store, instances, _DAY + timedelta(days=1), changed=True)
    added = _stored_bytes(store) - first
    return [
        Figure(
            "a stored fact",
            (first - empty) / facts,
            120,
            "B",
            f"{facts} attributes, memberships and privileges, with their accounts and all indexes",
        ),
        Figure("a day with 1 % changed accounts", added / 1e6, 1, "MB", f"{INSTANCES} instances of {ACCOUNTS} accounts"),
    ]


def _multiply(store: Database) -> None:
    """Copy what is stored, so that there are 200,000 accounts; the identities of a fresh store have no holes."""
    copies = f"generate_series(1, {COPIES}) as copy"
    account, instance = f"copy * {INSTANCES * (ACCOUNTS + 1)}", f"copy * {INSTANCES}"
    attributes = "valid_from, valid_until, account_name, can_login, is_superuser, is_locked, set_id"
    flags = "valid_from, valid_until, inherits, can_set, can_admin, is_default"
    with store.transaction() as cursor:
        cursor.execute(
            "insert into instance_accounts (account_id, instance_id, account_name, is_everyone, account_kind, first_seen_date) overriding "
            f"system value select account_id + {account}, instance_id + {instance}, account_name, is_everyone, account_kind, "
            f"first_seen_date from instance_accounts, {copies}"
        )
        cursor.execute(
            f"insert into account_attributes (account_id, {attributes}) select account_id + {account}, {attributes} "
            f"from account_attributes, {copies}"
        )
        cursor.execute(
            f"insert into account_membership_versions (member_id, role_id, {flags}) "
            f"select member_id + {account}, role_id + {account}, {flags} from account_membership_versions, {copies}"
        )
        cursor.execute(
            f"insert into account_privileges select account_id + {account}, fact_id, valid_from, valid_until "
            f"from account_privileges, {copies}"
        )
    with store.session() as cursor:
        cursor.execute("vacuum analyze")


def _who_can(store: Database) -> list[Figure]:
    """One table of one server, and the same table of all servers that have it."""
    _multiply(store)
    fleet = INSTANCES * (COPIES + 1) * ACCOUNTS
    figures: list[Figure] = []
    for where, names in (("one server", ["target-1"]), ("every server", [])):
        seconds, holders = min(_ask(store, names) for _ in range(3))
        figures.append(Figure(f"who can, on {where}", seconds, 1, "s", f"{holders} accounts have it, of {fleet}"))
    return figures


def _ask(store: Database, names: Sequence[str]) -> tuple[float, int]:
    begun = time.monotonic()
    answer = who_can(store, "SELECT", "shop.orders.table_60", _DAY + timedelta(days=1), names)
    return time.monotonic() - begun, len(answer.holders)


def _registered(store: Database, host: str, port: int) -> Instance:
    name = f"target-of-{port}"
    register(store, name, host=host, port=port)
    credential = "update credentials set username = %s, secret = %s where name = %s returning 1"
    query(store, credential, accounts.LOGIN.username, f"env:{_PASSWORD}", name)
    (instance,) = active_instances(store, [name])
    return instance


def sync(store: Database, home: Path, instance: Instance) -> tuple[float, AccountsOutcome]:
    """Read and store the accounts of a server. Seconds, and the outcome."""
    settings = load_settings({"WHALEFALL_HOME": str(home)})
    collection = replace(server_collection(settings, store), secrets=SecretBox(settings, {_PASSWORD: str(accounts.LOGIN.password)}))
    begun = time.monotonic()
    (outcome,) = sync_accounts(collection, [instance], today(datetime.now(UTC), store.timezone), None)
    seconds = time.monotonic() - begun
    assert outcome.error is None, outcome.error
    return seconds, outcome


def _unchanged(store: Database, folder: Path) -> Figure:
    with ExitStack() as stack:
        cluster = accounts.new_server(folder / "server", accounts.ROLES, stack)
        instance = _registered(store, cluster.host, cluster.port)
        sync(store, folder, instance)
        compared = alternate(lambda: sync(store, folder, instance)[0], lambda: accounts.read(instance)[0], ROUNDS)
    return Figure(f"an unchanged server of {accounts.ROLES} accounts: sync / reading", compared.ratio, 1.2, "x", str(compared))


def _large(store: Database, folder: Path) -> list[Figure]:
    with ExitStack() as stack:
        cluster = accounts.new_server(folder / "large", MANY, stack)
        instance = _registered(store, cluster.host, cluster.port)
        command = [sys.executable, "-m", __name__, libpq_url(store.url), str(folder), instance.name]
        first, second = (json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(2))
    return [
        Figure(
            f"{MANY} accounts read and stored for the first time", first[0], 5, "s", f"{first[2]} versions; unchanged: {second[0]:.1f} s"
        ),
        Figure(f"{MANY} accounts read and stored: memory", max(first[1], second[1]), 200, "MiB", "the whole process"),
    ]


def measure(folder: Path) -> Iterator[Figure]:
    """Every figure, the fleet last, because it takes a minute to store."""
    with embedded_store(folder / "store") as store:
        yield _unchanged(store, folder)
        yield from _large(store, folder)
    with embedded_store(folder / "fleet") as store:
        instances = register(store, *(f"target-{number}" for number in range(INSTANCES * (COPIES + 1))))
        yield from _bytes(store, instances[:INSTANCES])
        yield from _who_can(store)


def main(arguments: Sequence[str]) -> None:
    """Sync one server; print seconds, the largest resident set in MiB, and the number of opened versions."""
    url, home, name = arguments
    with closing(Database(parse_url(url), TIMEZONE)) as store:
        (instance,) = active_instances(store, [name])
        seconds, outcome = sync(store, Path(home), instance)
    print(json.dumps([seconds, peak_mebibytes(), sum(outcome.opened.values())]))


if __name__ == "__main__":
    main(sys.argv[1:])
