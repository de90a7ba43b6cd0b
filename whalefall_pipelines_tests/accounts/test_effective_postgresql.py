"""Effective privileges of random role graphs, compared with the answers of PostgreSQL itself."""

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.accounts.snapshot import AccountSnapshot
from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.accounts.write_snapshot import write_snapshot
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, NIGHT, register
from whalefall_pipelines_tests.servers.postgresql import (
    MAJORS,
    PostgresServers,
    create_database,
    create_login,
    instance_of,
    new_name,
    superuser,
)

pytestmark = pytest.mark.process
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "TRUNCATE")
_runs = itertools.count()


@dataclass(frozen=True)
class Scene:
    """Random roles, and the tables of two schemas in a database."""

    server: PostgresCluster
    database: str
    roles: list[str]
    tables: list[str]


@contextmanager
def scene_of(server: PostgresCluster, seed: int) -> Iterator[Scene]:
    """A random graph of roles with owners, grants, withdrawals, predefined roles and a superuser."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable scene
    roles, database = [new_name("role") for _ in range(9)], create_database(server)
    statements = [*_graph(chance, roles, has_options=server_major(server) >= 16), *_entrance(chance, roles, database)]
    for schema in ("alpha", "beta"):
        statements += _schema(chance, roles, schema)
    with superuser(server, database) as cursor:
        for statement in statements:
            cursor.execute(statement)
    try:
        yield Scene(server, database, roles, [f"{schema}.{table}" for schema in ("alpha", "beta") for table in ("one", "two")])
    finally:
        with superuser(server, database) as cursor:
            cursor.execute(f"drop schema alpha cascade; drop schema beta cascade; alter database {database} owner to postgres")
        with superuser(server) as cursor:
            cursor.execute(f"drop database {database}")
            for role in roles:
                cursor.execute(f"drop owned by {role}; drop role {role}")


def _graph(chance: random.Random, roles: list[str], *, has_options: bool) -> Iterator[str]:
    for role in roles:
        yield f"create role {role} {chance.choice(['inherit', 'noinherit'])} {chance.choice(['login', 'nologin'])}"
    yield f"alter role {chance.choice(roles)} superuser"
    for member, role in itertools.combinations(chance.sample(roles, len(roles)), 2):
        options = f" with inherit {chance.random() < 0.6}, set {chance.random() < 0.6}" if has_options else ""
        if chance.random() < 0.25:
            yield f"grant {role} to {member}{options}"
    for role in ("pg_read_all_data", "pg_write_all_data"):
        if chance.random() < 0.5:
            yield f"grant {role} to {chance.choice(roles)}"


def _entrance(chance: random.Random, roles: list[str], database: str) -> Iterator[str]:
    yield f"alter database {database} owner to {chance.choice(roles)}"
    if chance.random() < 0.5:
        yield f"revoke connect on database {database} from public"
        for _ in range(3):
            yield f"grant connect on database {database} to {chance.choice(roles)}"


def _schema(chance: random.Random, roles: list[str], schema: str) -> Iterator[str]:
    owner = chance.choice(roles)
    yield f"create schema {schema} authorization {owner}"
    for _ in range(chance.randrange(3)):
        yield f"grant usage on schema {schema} to {chance.choice([*roles, 'public'])}"
    if chance.random() < 0.3:
        yield f"revoke usage on schema {schema} from {owner}"
    for table in (f"{schema}.one", f"{schema}.two"):
        owner = chance.choice(roles)
        yield f"create table {table} (x integer, y integer)"
        yield f"alter table {table} owner to {owner}"
        for _ in range(chance.randrange(4)):
            yield f"grant {chance.choice(PRIVILEGES)} on {table} to {chance.choice([*roles, 'public'])}"
        if chance.random() < 0.4:
            yield f"revoke {chance.choice(PRIVILEGES)} on {table} from {owner}"


def server_major(server: PostgresCluster) -> int:
    with superuser(server) as cursor:
        cursor.execute("show server_version_num")
        return int(cursor.fetchone()[0]) // 10_000  # type: ignore[index]


def answers_of_the_server(scene: Scene) -> dict[tuple[str, str, str], tuple[bool, bool]]:
    """For each role, table and privilege: whether it has it now, and whether it can become a role that has it."""
    mode = "set" if server_major(scene.server) >= 16 else "member"
    with superuser(scene.server, scene.database) as cursor:
        cursor.execute(
            f"""
            with roles as (select rolname::text as role from pg_roles), has as (
                select role, t as name, p as privilege,
                    has_table_privilege(role, t, p) and has_schema_privilege(role, split_part(t, '.', 1), 'USAGE')
                    and has_database_privilege(role, current_database(), 'CONNECT') as now
                from roles, unnest(%s) as t, unnest(%s) as p
            )
            select a.role, a.name, a.privilege, a.now, exists (
                select 1 from has as b
                where b.name = a.name and b.privilege = a.privilege and b.now and pg_has_role(a.role, b.role, '{mode}')
            )
            from has as a
            where a.role = any(%s)
            """,
            (scene.tables, list(PRIVILEGES), scene.roles),
        )
        return {(role, table, privilege): (now, later) for role, table, privilege, now, later in cursor.fetchall()}


def read(store: Database, scene: Scene) -> str:
    """Store what a probe reads; return the name of the instance."""
    name = new_name("server")
    (instance,) = register(store, name)
    # Scenes shut ordinary logins out of the database.
    with ServerFleet().connect(
        ACCOUNTS, instance_of(scene.server, default_database=scene.database), create_login(scene.server, None, "superuser")
    ) as probe:
        listing = probe.list_accounts()
        snapshot = AccountSnapshot(listing, probe.read_privileges(listing), NIGHT)
    write_snapshot(store, instance, DAY, None, snapshot, seconds=0)
    return name


@pytest.mark.parametrize("major", MAJORS)
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=10**9))
def test_the_answers_are_those_of_the_server(store: Database, servers: PostgresServers, major: int, seed: int) -> None:
    with scene_of(servers.of(major), seed) as scene:
        expected = answers_of_the_server(scene)
        instance = read(store, scene)
        wrong: list[tuple[object, ...]] = []
        for table, privilege in itertools.product(scene.tables, PRIVILEGES):
            answer = who_can(store, privilege, f"{scene.database}.{table}", DAY, [instance])
            now = {holder.account_name for holder in answer.holders if holder.has_now == "yes"}
            later = {holder.account_name for holder in answer.holders if holder.has_now == "no"}
            for role in scene.roles:
                has_now = role in now or "public" in now
                computed = (has_now, has_now or role in later)
                if computed != expected[role, table, privilege]:
                    wrong.append((role, table, privilege, computed, expected[role, table, privilege]))
        assert wrong == []
