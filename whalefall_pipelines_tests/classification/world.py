"""Random servers with accounts, written into the store as the accounts area does, and what each account knows of itself.

The roles and privileges that an account has are computed here by walking a graph, not by the statements under test.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from whalefall_pipelines.classification.facts import AccountFacts, HeldPrivilege, ReachedRole, UnreadFacts
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines_tests.conftest import TIMEZONE

DAY = date(2026, 11, 22)
ENGINES = ("postgresql", "mysql", "sqlserver", "oracle")
PRIVILEGES, SCOPES = ("SELECT", "DROP ANY TABLE", "CREATE ANY TABLE", "OWNER"), ("server", "database", "table")
DATABASES, OBJECTS = (None, "shop", "crm"), (None, "pg_authid")
ROLE_NAMES, VERSIONS = ("dba", "reader", "owner_role"), (None, "PostgreSQL 15.4", "MariaDB 10.11.19", "none")
ATTRIBUTES = ("can_login", "is_superuser", "is_locked", "is_password_expired", "has_empty_password")
_ACCOUNT = """insert into instance_accounts (instance_id, account_name, account_kind, is_built_in, is_everyone, database_name,
    first_seen_date, last_login_at) values (%s, %s, %s, %s, %s, %s, %s, %s) returning account_id"""
_VERSION = """with sets as (
        insert into account_attribute_sets (attributes) values (%s::jsonb - '{user,host}'::text[])
        on conflict (digest) do update set attributes = excluded.attributes returning set_id
    )
    insert into account_attributes (account_id, valid_from, valid_until, account_name, can_login, is_superuser, is_locked,
        is_password_expired, has_empty_password, password_changed_at, password_expires_at, user_name, host_name, set_id)
    select %s, %s, %s::date, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, set_id from sets"""


@dataclass
class Edge:
    member: "Account"
    role: "Account"
    inherits: bool
    can_set: bool
    is_default: bool
    database_name: str | None


@dataclass
class Fact:
    privilege: str
    scope: str
    database_name: str | None
    object_name: str | None
    is_grantable: bool
    effect: str


@dataclass
class Account:
    name: str
    kind: str
    attributes: dict[str, object]
    is_built_in: bool = False
    is_everyone: bool = False
    database_name: str | None = None
    changed_on: date | None = None
    expires_on: date | None = None
    first_seen_on: date = DAY
    last_login_on: date | None = None
    facts: list[Fact] = field(default_factory=list)
    account_id: int = 0

    @property
    def short_name(self) -> str:
        if "user" in self.attributes:
            return str(self.attributes["user"])
        return self.name.rpartition("].[")[2][:-1] if self.database_name else self.name


@dataclass
class Server:
    engine: str
    tags: dict[str, str]
    version: str | None
    accounts: list[Account]
    edges: list[Edge]
    gaps: list[UnreadFacts]


def random_server(chance: random.Random) -> Server:
    engine = chance.choice(ENGINES)
    accounts = [_account(chance, engine, name, "role") for name in ROLE_NAMES]
    accounts += [_account(chance, engine, f"user_{number}", chance.choice(("user", "user", "group"))) for number in range(5)]
    everyone = _account(chance, engine, "public", "role")
    everyone.is_everyone, everyone.database_name = True, None
    edges = [
        Edge(member, role, chance.random() < 0.7, chance.random() < 0.5, chance.random() < 0.8, None)
        for place, member in enumerate(accounts)
        for role in accounts[: min(place, 3)]
        if accounts[2] not in (member, role) and chance.random() < 0.35
    ]
    # in one database alone, and the role is a member of none
    edges += [Edge(member, accounts[2], True, True, True, chance.choice(DATABASES[1:])) for member in accounts[3:] if chance.random() < 0.2]
    if chance.random() < 0.3:
        edges.append(Edge(everyone, accounts[0], True, True, True, None))
    gaps = [
        UnreadFacts(chance.choice((None, "membership", *SCOPES)), chance.choice(DATABASES)) for _ in range(chance.choice((0, 0, 0, 1, 2)))
    ]
    if chance.random() < 0.15:
        gaps.append(UnreadFacts(attribute=chance.choice(("administrator", "password_expires_at", "administrative_privileges"))))
    tags = {"env": chance.choice(("prod", "test"))}
    return Server(engine, tags, chance.choice(VERSIONS), [*accounts, everyone], edges, gaps)


def _account(chance: random.Random, engine: str, name: str, kind: str) -> Account:
    def maybe_day() -> date | None:
        return chance.choice((None, DAY + timedelta(days=chance.choice((-400, -91, -90, -89, -1, 0, 1, 30)))))

    attributes: dict[str, object] = {attribute: chance.choice((True, False, False, None)) for attribute in ATTRIBUTES}
    database = None
    if engine == "mysql":
        user, host = chance.choice((name, "app")) if kind == "user" else name, chance.choice(("%", "10.0.%", "localhost"))
        attributes |= {"user": user, "host": host}
        name = f"{user}@{host}-{name}"
    elif engine == "sqlserver" and chance.random() < 0.4:
        database = chance.choice(("shop", "a]b"))
        name = f"[{database.replace(']', ']]')}].[{name}]"
    if engine == "postgresql":
        attributes["can_create_roles"] = chance.choice((True, False, 7))
    return Account(
        name,
        kind,
        attributes,
        chance.random() < 0.2,
        False,
        database,
        maybe_day(),
        maybe_day(),
        DAY - timedelta(days=chance.choice((0, 89, 90, 91))),
        maybe_day(),
        [_fact(chance) for _ in range(chance.choice((0, 0, 1, 2, 3)))],
    )


def _fact(chance: random.Random) -> Fact:
    scope = chance.choice(SCOPES)
    database = None if scope == "server" else chance.choice(DATABASES[1:])
    effect = chance.choice(("grant", "grant", "grant", "deny", "revoke"))
    return Fact(chance.choice(PRIVILEGES), scope, database, chance.choice(OBJECTS), chance.random() < 0.3, effect)


def noon(day: date | None) -> datetime | None:
    return day and datetime(day.year, day.month, day.day, 12, tzinfo=TIMEZONE)


def write(cursor: Cursor, server: Server, name: str) -> None:
    """Write what holds on DAY, and beside it what no longer holds or not yet."""
    cursor.execute("insert into credentials (name, username) values (%s, 'monitor') returning credential_id", (name,))
    (credential_id,) = cursor.fetchone() or (None,)
    cursor.execute(
        "insert into instances (name, engine, host, port, credential_id, tags, server_version, created_at) "
        "values (%s, %s, 'h', 1, %s, %s, %s, '2020-01-01') returning instance_id",
        (name, server.engine, credential_id, json.dumps(server.tags), server.version),
    )
    (instance_id,) = cursor.fetchone() or (0,)
    for account in server.accounts:
        values = (account.name, account.kind, account.is_built_in, account.is_everyone, account.database_name, account.first_seen_on)
        cursor.execute(_ACCOUNT, (instance_id, *values, noon(account.last_login_on)))
        (account.account_id,) = cursor.fetchone() or (0,)
        typed = tuple(account.attributes[attribute] for attribute in ATTRIBUTES)
        others = json.dumps({key: value for key, value in account.attributes.items() if key not in ATTRIBUTES})
        days = (noon(account.changed_on), noon(account.expires_on))
        place = (account.attributes.get("user"), account.attributes.get("host"))
        past = (DAY - timedelta(days=9), DAY - timedelta(days=5), "renamed", True, True, True, True, True, None, None, None, None)
        cursor.execute(_VERSION, ("{}", account.account_id, *past))
        cursor.execute(_VERSION, (others, account.account_id, DAY - timedelta(days=5), None, account.name, *typed, *days, *place))
        for fact in account.facts:
            _write_fact(cursor, account.account_id, fact)
        _write_fact(cursor, account.account_id, Fact("SELECT", "server", None, None, True, "grant"), ended=True)
    for edge in server.edges:
        cursor.execute(
            "insert into account_membership_versions values (%s, %s, %s, null, %s, %s, false, %s, %s)",
            (edge.member.account_id, edge.role.account_id, DAY, edge.inherits, edge.can_set, edge.is_default, edge.database_name),
        )
    for gap in server.gaps:
        cursor.execute(
            "insert into account_gaps (instance_id, scope, database_name, attribute, valid_from, reason, detail) "
            "values (%s, %s, %s, %s, %s, 'no_permission', '') on conflict do nothing",
            (instance_id, gap.scope, gap.database_name, gap.attribute, DAY),
        )


def _write_fact(cursor: Cursor, account_id: int, fact: Fact, *, ended: bool = False) -> None:
    cursor.execute(
        "insert into account_privilege_facts (scope, database_name, object_name, privilege, is_grantable, origin, effect) "
        "values (%s, %s, %s, %s, %s, 'grant', %s) on conflict (digest) do update set traits = excluded.traits returning fact_id",
        (fact.scope, fact.database_name, fact.object_name, fact.privilege, fact.is_grantable, fact.effect),
    )
    (fact_id,) = cursor.fetchone() or (0,)
    days = (DAY - timedelta(days=9), DAY) if ended else (DAY, None)
    cursor.execute(
        "insert into account_privileges (account_id, fact_id, valid_from, valid_until) values (%s, %s, %s, %s) on conflict do nothing",
        (account_id, fact_id, *days),
    )


def facts_of(server: Server, account: Account) -> AccountFacts:
    """What is true of an account, by walking from it to its roles."""
    active = {id(role): role for role, _ in _walk(server, account, by_inheriting=True)}
    settable = {id(role): role for role, _ in _walk(server, account, by_inheriting=False)}
    roles = tuple(
        ReachedRole(role.name, role.short_name, key in active, key in settable, role.attributes["is_superuser"])  # type: ignore[arg-type]
        for key, role in (active | settable).items()
    )
    user = account.attributes.get("user")
    return AccountFacts(
        server.engine,
        DAY,
        account.name,
        account.kind,
        account.is_built_in,
        {name: value for name, value in account.attributes.items() if value is not None},
        account.changed_on,
        account.expires_on,
        account.first_seen_on,
        account.last_login_on,
        sum(other.attributes.get("user") == user and other.kind != "role" for other in server.accounts),
        len({id(edge.member) for edge in server.edges if edge.role is account}),
        server.tags,
        server.version,
        roles,
        tuple(_held(server, account)),
        tuple(server.gaps),
    )


def _held(server: Server, account: Account) -> Iterator[HeldPrivilege]:
    everyone = next(other for other in server.accounts if other.is_everyone)
    for subject, is_public in ((account, False), (everyone, True)):
        for role, database in [(subject, None), *_walk(server, subject, by_inheriting=True)]:
            for fact in role.facts:
                if database is None or fact.database_name == database:
                    is_own = role is account and not is_public
                    yield HeldPrivilege(
                        fact.privilege, fact.scope, fact.database_name, fact.object_name, fact.is_grantable, fact.effect, is_own, is_public
                    )


def _walk(server: Server, account: Account, *, by_inheriting: bool) -> Iterator[tuple[Account, str | None]]:
    """The roles that an account has now, or may become, each with the only database in which it does."""
    waiting = [
        edge for edge in server.edges if edge.member is account and ((edge.inherits and edge.is_default) if by_inheriting else edge.can_set)
    ]
    while waiting:
        edge = waiting.pop()
        yield edge.role, edge.database_name
        waiting += [other for other in server.edges if other.member is edge.role and (other.inherits if by_inheriting else other.can_set)]
