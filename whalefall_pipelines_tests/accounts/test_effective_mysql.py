"""Effective privileges of random accounts of MariaDB and MySQL, compared with what a login may really do."""

import itertools
import random
from collections.abc import Iterator
from contextlib import closing

import pymysql
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.accounts.snapshot import AccountSnapshot
from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.accounts.write_snapshot import write_snapshot
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, NIGHT, query, register
from whalefall_pipelines_tests.servers.mariadb import Target, instance_at, new_name

pytestmark = pytest.mark.process
PASSWORD = "only for this test"
# ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR
REFUSALS = {1044, 1142}
TRIES = {
    "SELECT": "select * from {} limit 0",
    "INSERT": "insert into {} values (1)",
    "DELETE": "delete from {} limit 1",
}


def statements(chance: random.Random, database: str, users: list[str], roles: list[str]) -> Iterator[str]:
    """Random grants on the server, on the schema and on its tables, to users and to nested roles."""
    yield f"create database {database}"
    yield from (f"create table {database}.{table} (x integer)" for table in ("one", "two"))
    yield from (f"create role {role}" for role in roles)
    yield from (f"create user {user} identified by '{PASSWORD}'" for user in users)
    yield from (f"grant {role} to {member}" for member, role in itertools.combinations(roles, 2) if chance.random() < 0.4)
    for account in (*users, *roles):
        for _ in range(chance.randrange(3)):
            scope = chance.choice([f"{database}.*", f"{database}.one", f"{database}.two", "*.*"])
            yield f"grant {chance.choice(list(TRIES))} on {scope} to {account}"
    for user in users:
        granted = chance.sample(roles, chance.randrange(3))
        yield from (f"grant {role} to {user}" for role in granted)
        if granted and chance.random() < 0.6:
            yield f"set default role {granted[0]} {{to}} {user}"


def may(target: Target, user: str, role: str | None, statement: str) -> bool:
    """Whether a user may do this right after the login, or after SET ROLE."""
    connection = pymysql.connect(host=target.host, port=target.port, user=user, password=PASSWORD, autocommit=False)
    with closing(connection), connection.cursor() as cursor:
        try:
            if role:
                cursor.execute(f"set role {role}")
            cursor.execute(statement)
        except pymysql.err.OperationalError as error:
            if error.args[0] not in REFUSALS:
                raise
            return False
    return True


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=10**9))
@pytest.mark.parametrize("family", ["mariadb", "mysql"])
def test_the_answers_are_those_of_the_server(store: Database, request: pytest.FixtureRequest, family: str, seed: int) -> None:
    target: Target = request.getfixturevalue({"mariadb": "mariadb", "mysql": "mysql_server"}[family])
    chance = random.Random(seed)  # noqa: S311 - a repeatable scene
    database, users, roles = new_name("base"), [new_name("user") for _ in range(4)], [new_name("role") for _ in range(3)]
    word = "to" if family == "mysql" else "for"
    made = [text.replace("{to}", word) for text in statements(chance, database, users, roles)]
    reader = new_name("reader")
    target.ask(*made, f"create user {reader} identified by '{PASSWORD}'", f"grant select on mysql.* to {reader}")
    try:
        (instance,) = register(store, new_name("server"), engine=Engine.MYSQL)
        with ServerFleet().connect(ACCOUNTS, instance_at(target.host, target.port), Login(reader, PASSWORD)) as probe:
            listing = probe.list_accounts()
            snapshot = AccountSnapshot(listing, probe.read_privileges(listing), NIGHT)
        write_snapshot(store, instance, DAY, None, snapshot, seconds=0)
        query(
            store,
            "insert into database_activity (instance_id, database_id, database_name, active_from) values (%s, 1, %s, %s) returning 1",
            instance.instance_id,
            database,
            DAY,
        )
        wrong: list[tuple[object, ...]] = []
        for table, (privilege, statement) in itertools.product(("one", "two"), TRIES.items()):
            answer = who_can(store, privilege, f"{database}.{table}", DAY, [instance.name])
            can = {holder.account_name: holder.has_now for holder in answer.holders}
            for user in users:
                text = statement.format(f"{database}.{table}")
                now = may(target, user, None, text)
                granted = [line.split()[1] for line in made if line.startswith("grant role") and line.endswith(f" to {user}")]
                later = now or any(may(target, user, role, text) for role in granted)
                computed = can.get(f"{user}@%")
                expected = "yes" if now else "no" if later else None
                if computed not in {expected, "depends"}:
                    wrong.append((user, table, privilege, computed, expected))
        assert wrong == [], made
    finally:
        target.ask(
            *(f"drop user {user}" for user in (*users, reader)), *(f"drop role {role}" for role in roles), f"drop database {database}"
        )
