"""Effective privileges of Oracle: documented cases, and random grants compared with a model that asks one account at a time.

No Oracle server is at hand, so both follow its documentation.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.domain.accounts import Account, AccountKind, AccountMembership, AccountPrivilege
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member
from whalefall_pipelines_tests.servers.postgresql import new_name

PUBLIC = Account("PUBLIC", AccountKind.ROLE, is_built_in=True, is_everyone=True)
SYS, SHOP = account("SYS", "0", is_superuser=True), account("SHOP", "90")


def system(name: str, privilege: str) -> AccountPrivilege:
    return AccountPrivilege(name, "server", None, None, None, None, privilege, is_grantable=False, origin="grant")


def on_table(name: str, privilege: str, *, schema: str = "SHOP", column: str | None = None) -> AccountPrivilege:
    scope = "column" if column else "table"
    return AccountPrivilege(name, scope, None, schema, "ORDERS", column, privilege, is_grantable=False, origin="grant")


def owner(name: str) -> AccountPrivilege:
    return AccountPrivilege(name, "schema", None, name, None, None, "OWNER", is_grantable=False, origin="ownership")


def proxy(name: str, client: str) -> AccountPrivilege:
    return AccountPrivilege(name, "account", None, None, client, None, "PROXY", is_grantable=False, origin="grant")


def role(name: str, authentication: str = "none") -> Account:
    return account(name, kind=AccountKind.ROLE, can_login=False, authentication=authentication)


def stored(store: Database, folder: Path, accounts: Sequence[Account], *parts: AccountPrivilege | AccountMembership) -> str:
    name = new_name("oracle")
    scene = AccountsTest(store, folder, {name: FakeServer()}, engine=Engine.ORACLE)
    scene.hold(listing(SYS, PUBLIC, SHOP, *accounts), facts(owner("SYS"), owner("SHOP"), *parts), name)
    assert scene.sync()[name].error is None
    return name


def ask(store: Database, instance: str, privilege: str, table: str = "SHOP.ORDERS") -> dict[str, tuple[str, str]]:
    answer = who_can(store, privilege, table, AccountsTest.day, [instance])
    assert answer.inapplicable == ()
    return {holder.account_name: (holder.has_now, holder.path) for holder in answer.holders}


def test_nested_roles_any_privileges_proxies_and_administrators(store: Database, tmp_path: Path) -> None:
    instance = stored(
        store,
        tmp_path,
        [account("DESK"), account("BOSS"), account("ADMIN"), account("BRIDGE"), role("READERS"), role("STAFF"), role("SEALED", "password")],
        on_table("READERS", "READ"),
        member("STAFF", "READERS", is_default=False),  # a role's roles come with it, whatever the dictionary says of defaults
        member("DESK", "STAFF"),
        member("BOSS", "SEALED"),
        system("SEALED", "SELECT ANY TABLE"),
        system("ADMIN", "SYSDBA"),
        proxy("BRIDGE", "DESK"),
    )
    assert ask(store, instance, "select") == {
        "SYS": ("yes", "superuser"),
        "SHOP": ("yes", "OWNER on schema (ownership)"),
        "READERS": ("yes", "READ on table (grant)"),
        "STAFF": ("yes", "→ READERS → READ on table (grant)"),
        "DESK": ("yes", "→ STAFF → READERS → READ on table (grant)"),
        "SEALED": ("yes", "SELECT ANY TABLE on server (grant)"),
        "BOSS": ("no", "⇒ SEALED → SELECT ANY TABLE on server (grant)"),
        "ADMIN": ("no", "⇒ SYS → superuser"),
        "BRIDGE": ("no", "⇒ DESK → STAFF → READERS → READ on table (grant)"),
    }
    assert set(ask(store, instance, "drop")) == {"SYS", "SHOP", "ADMIN"}


def test_any_privileges_do_not_open_the_dictionary(store: Database, tmp_path: Path) -> None:
    people = [account("READER"), account("CURIOUS")]
    instance = stored(store, tmp_path, people, system("READER", "SELECT ANY TABLE"), system("CURIOUS", "SELECT ANY DICTIONARY"))
    assert set(ask(store, instance, "select", "SYS.ORDERS")) == {"SYS", "CURIOUS"}
    assert set(ask(store, instance, "select")) == {"SYS", "SHOP", "READER"}


def test_what_public_has_everybody_has_and_a_column_is_a_part(store: Database, tmp_path: Path) -> None:
    everybody = on_table("PUBLIC", "SELECT")
    instance = stored(store, tmp_path, [account("CLERK")], everybody, on_table("CLERK", "UPDATE", column="NOTE"))
    assert ask(store, instance, "select")["PUBLIC"] == ("yes", "SELECT on table (grant)")
    assert ask(store, instance, "update")["CLERK"] == ("depends", "UPDATE on column (grant)")


USERS, ROLES = ("U1", "U2", "U3"), ("R1", "R2", "R3", "R4")


@dataclass
class Model:
    """Grants of a random server. Each question is asked of one account, by following what the documentation says."""

    sealed: set[str] = field(default_factory=set[str])
    memberships: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])
    table: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    anywhere: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    proxies: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @classmethod
    def of(cls, chance: random.Random) -> "Model":
        model = cls({name for name in ROLES if chance.random() < 0.3})
        for place, name in enumerate(ROLES):
            for member_name in (*USERS, *ROLES[place + 1 :]):
                if chance.random() < 0.3:
                    model.memberships[member_name, name] = chance.random() < 0.5
        everybody = (*USERS, *ROLES)
        model.table = {(chance.choice(everybody), chance.choice(("SELECT", "READ", "DELETE"))) for _ in range(2)}
        model.anywhere = {(chance.choice(everybody), f"{chance.choice(('SELECT', 'READ', 'DROP', 'DELETE'))} ANY TABLE") for _ in range(2)}
        model.proxies = {pair for pair in {(chance.choice(USERS), chance.choice(USERS)) for _ in range(2)} if pair[0] != pair[1]}
        return model

    def enabled(self, name: str) -> set[str]:
        """The account and its enabled roles right after the login."""
        first = {
            r for (m, r), is_default in self.memberships.items() if m == name and (name in ROLES or (is_default and r not in self.sealed))
        }
        reached, waiting = {name}, list(first)
        while waiting:
            current = waiting.pop()
            reached.add(current)
            waiting += [r for (m, r) in self.memberships if m == current and r not in reached]
        return reached

    def has(self, name: str, privilege: str) -> bool:
        kinds = {"SELECT", "READ"} if privilege in {"SELECT", "READ"} else {privilege}
        return any((who, kind) in self.table or (who, f"{kind} ANY TABLE") in self.anywhere for who in self.enabled(name) for kind in kinds)

    def may_become(self, name: str) -> set[str]:
        """Every account in whose place it can be: by SET ROLE of a granted role, or as a proxy."""
        reached, waiting = {name}, [name]
        while waiting:
            current = waiting.pop()
            further = {r for (m, r) in self.memberships if m == current} | {c for (p, c) in self.proxies if p == current}
            waiting += further - reached
            reached |= further
        return reached


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=10**9))
def test_the_answers_are_those_of_the_model(store: Database, tmp_path: Path, seed: int) -> None:
    model = Model.of(random.Random(seed))  # noqa: S311 - a repeatable scene
    accounts = [*map(account, USERS), *(role(name, "password" if name in model.sealed else "none") for name in ROLES)]
    instance = stored(
        store,
        tmp_path,
        accounts,
        *(member(*pair, is_default=is_default) for pair, is_default in model.memberships.items()),
        *(on_table(*grant) for grant in model.table),
        *(system(*grant) for grant in model.anywhere),
        *(proxy(*pair) for pair in model.proxies),
    )
    for privilege in ("SELECT", "READ", "DELETE", "DROP"):
        answers = {name: now for name, (now, _) in ask(store, instance, privilege).items() if name not in {"SYS", "SHOP"}}
        expected = {
            name: "yes" if model.has(name, privilege) else "no"
            for name in (*USERS, *ROLES)
            if any(model.has(other, privilege) for other in model.may_become(name))
        }
        assert answers == expected, privilege


@pytest.mark.parametrize("privilege", ["CREATE ANY VIEW", "CREATE ANY TABLE"])
def test_a_schema_is_asked_for_by_one_name(store: Database, tmp_path: Path, privilege: str) -> None:
    instance = stored(store, tmp_path, [account("BUILDER")], system("BUILDER", "CREATE ANY TABLE"))
    assert ("BUILDER" in ask(store, instance, privilege, "SHOP")) == (privilege == "CREATE ANY TABLE")
