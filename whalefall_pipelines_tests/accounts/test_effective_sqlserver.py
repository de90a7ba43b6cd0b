"""Effective privileges of SQL Server: documented cases, and random permissions compared with a model that asks one account at a time.

No SQL Server is at hand, so both follow Microsoft's documentation.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.domain.accounts import Account, AccountKind, AccountMembership, AccountPrivilege
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member
from whalefall_pipelines_tests.servers.postgresql import new_name

SA, SYSADMIN = account("sa", "01", is_superuser=True), account("sysadmin", "03", AccountKind.ROLE, is_superuser=True, can_login=False)
SERVER_PUBLIC = Account("public", AccountKind.ROLE, is_built_in=True, is_everyone=True)


def inside(name: str, kind: AccountKind = AccountKind.ROLE, *, is_everyone: bool = False) -> Account:
    return Account(f"[shop].[{name}]", kind, is_everyone=is_everyone, database_name="shop", attributes=account(name).attributes)


PUBLIC, OWNERS = inside("public", is_everyone=True), inside("db_owner")
FIXED = (
    AccountPrivilege("sysadmin", "server", None, None, None, None, "CONTROL SERVER", is_grantable=False, origin="built_in"),
    AccountPrivilege("[shop].[db_owner]", "database", "shop", None, None, None, "CONTROL", is_grantable=False, origin="built_in"),
)


def fact(
    name: str, privilege: str, scope: str = "table", *, effect: str = "grant", target: str | None = None, traits: str = ""
) -> AccountPrivilege:
    """A permission on the table sales.orders of shop, or on what it is in, or on another account (`target`)."""
    depth = {"server": 0, "account": 0, "database": 1, "schema": 2, "table": 3, "column": 4}[scope]
    place = tuple(part if depth > number else None for number, part in enumerate(("shop", "sales", "orders", "note")))
    database, schema, table, column = place
    origin = "ownership" if privilege == "OWNER" else "grant"
    return AccountPrivilege(
        name, scope, database, schema, target or table, column, privilege, is_grantable=False, origin=origin, effect=effect, traits=traits
    )


def connect(*names: str) -> tuple[AccountPrivilege, ...]:
    """The permission that every user of a database has."""
    return tuple(fact(name, "CONNECT", "database") for name in names)


def stored(store: Database, folder: Path, accounts: Iterable[Account], *parts: AccountPrivilege | AccountMembership) -> str:
    name = new_name("sqlserver")
    scene = AccountsTest(store, folder, {name: FakeServer()}, engine=Engine.SQLSERVER)
    scene.hold(listing(SA, SYSADMIN, SERVER_PUBLIC, PUBLIC, OWNERS, *accounts), facts(*FIXED, *parts), name)
    assert scene.sync()[name].error is None
    return name


def ask(store: Database, instance: str, privilege: str, target: str = "shop.sales.orders") -> dict[str, tuple[str, str]]:
    """The answers but those of the administrators and of db_owner, who can do everything."""
    answer = who_can(store, privilege, target, AccountsTest.day, [instance])
    assert answer.inapplicable == ()
    return {
        holder.account_name: (holder.has_now, holder.path)
        for holder in answer.holders
        if holder.account_name not in {"sa", "sysadmin", "[shop].[db_owner]"}
    }


# A table is known by a privilege on it, so every scene has this one.
KNOWN = fact("sa", "SELECT")


def test_privileges_cover_what_is_in_their_scope_and_a_login_needs_the_database(store: Database, tmp_path: Path) -> None:
    people = [account(name) for name in ("alice", "bob", "carol", "dave", "outside", "everywhere")]
    instance = stored(
        store,
        tmp_path,
        [*people, inside("writers"), inside("readers")],
        KNOWN,
        fact("[shop].[writers]", "INSERT", "schema"),
        member("[shop].[readers]", "[shop].[writers]"),
        member("alice", "[shop].[readers]"),
        fact("bob", "CONTROL", "table"),
        fact("carol", "OWNER", "schema"),
        fact("dave", "INSERT", "column"),
        fact("outside", "INSERT"),
        fact("everywhere", "INSERT", "database"),
        fact("everywhere", "CONNECT ANY DATABASE", "server"),
        *connect("alice", "bob", "carol", "dave"),
    )
    assert ask(store, instance, "insert") == {
        "[shop].[writers]": ("yes", "INSERT on schema (grant)"),
        "[shop].[readers]": ("yes", "→ [shop].[writers] → INSERT on schema (grant)"),
        "alice": ("yes", "→ [shop].[readers] → [shop].[writers] → INSERT on schema (grant)"),
        "bob": ("yes", "CONTROL on table (grant)"),
        "carol": ("yes", "OWNER on schema (ownership)"),
        "dave": ("depends", "INSERT on column (grant)"),
        "everywhere": ("yes", "INSERT on database (grant)"),
    }
    # ALTER on the schema, or CONTROL on the table
    assert set(ask(store, instance, "drop")) == {"bob", "carol"}


def test_deny_beats_grants_but_not_owners_administrators_and_columns(store: Database, tmp_path: Path) -> None:
    people = [account(name) for name in ("alice", "bob", "chief", "operator", "carol", "dave")]
    instance = stored(
        store,
        tmp_path,
        [*people, inside("readers"), inside("barred"), account("operators", kind=AccountKind.ROLE, can_login=False)],
        *(fact(name, "SELECT") for name in ("[shop].[readers]", "alice", "bob", "carol")),
        fact("[shop].[barred]", "SELECT", "database", effect="deny"),
        *(member(name, "[shop].[barred]") for name in ("alice", "chief", "operator", "carol", "dave")),
        member("operator", "operators"),
        member("operators", "sysadmin"),
        fact("chief", "OWNER", "database"),
        fact("carol", "SELECT", "column"),
        fact("bob", "SELECT", "column", effect="deny"),
        member("dave", "[shop].[readers]"),
        *connect(*(person.account_name for person in people)),
    )
    answers = ask(store, instance, "select")
    assert {name: now for name, (now, _) in answers.items()} == {
        "[shop].[readers]": "yes",
        "bob": "depends",  # all but one column
        "carol": "depends",  # one column
        "chief": "yes",
        "operator": "yes",
        "operators": "yes",
    }


def test_what_everybody_has_is_written_out_where_something_is_denied(store: Database, tmp_path: Path) -> None:
    people = [account("alice"), account("bob")]
    parts = (fact("[shop].[public]", "SELECT"), *connect("alice", "bob"))
    instance = stored(store, tmp_path, people, *parts)
    assert ask(store, instance, "select") == {"[shop].[public]": ("yes", "SELECT on table (grant)")}
    denied = stored(store, tmp_path, people, *parts, fact("bob", "SELECT", effect="deny"))
    assert {name: now for name, (now, _) in ask(store, denied, "select").items()} == {"[shop].[public]": "depends", "alice": "yes"}


def test_who_can_become_somebody_else(store: Database, tmp_path: Path) -> None:
    people = [account(name) for name in ("alice", "helper", "guard", "dbo", "builder", "root")]
    roles = [inside("helpers"), account("securityadmin", kind=AccountKind.ROLE, can_login=False)]
    instance = stored(
        store,
        tmp_path,
        [*people, *roles],
        fact("alice", "DELETE"),
        fact("[shop].[helpers]", "IMPERSONATE", "account", target="alice")._replace(database_name="shop"),
        member("helper", "[shop].[helpers]"),
        fact("securityadmin", "ALTER ANY LOGIN", "server"),
        member("guard", "securityadmin"),
        fact("root", "CONTROL SERVER", "server"),
        fact("root", "CONTROL SERVER", "server", effect="deny"),
        fact("dbo", "OWNER", "database"),
        fact("builder", "CONTROL", "database"),
        fact("builder", "DELETE", effect="deny"),
        *connect("alice", "helper", "builder", "dbo"),
    )
    answers = ask(store, instance, "delete")
    assert answers["helper"] == ("no", "⇒ [shop].[helpers] ⇒ alice → DELETE on table (grant)")
    assert answers["guard"] == ("no", "⇒ securityadmin ⇒ sysadmin → superuser")
    assert answers["builder"] == ("no", "⇒ dbo → OWNER on database (ownership)")
    assert answers["dbo"][0] == "yes"


def test_the_owner_of_a_trustworthy_database_lends_the_whole_server(store: Database, tmp_path: Path) -> None:
    crm_owner = Account("[crm].[db_owner]", AccountKind.ROLE, database_name="crm", attributes=account("x").attributes)

    def scene(traits: str) -> set[str]:
        crm = (
            AccountPrivilege("sa", "database", "crm", None, None, None, "OWNER", is_grantable=False, origin="ownership", traits=traits),
            AccountPrivilege("[crm].[db_owner]", "database", "crm", None, None, None, "CONTROL", is_grantable=False, origin="built_in"),
        )
        return set(
            ask(store, stored(store, tmp_path, [account("dev"), crm_owner], KNOWN, *crm, member("dev", "[crm].[db_owner]")), "select")
        )

    assert scene("") == set()
    assert scene("trustworthy") == {"dev", "[crm].[db_owner]"}


def test_the_guest_opens_a_database(store: Database, tmp_path: Path) -> None:
    parts = (KNOWN, fact("alice", "SELECT", "database"))
    assert ask(store, stored(store, tmp_path, [account("alice")], *parts), "select") == {}
    guest = inside("guest", AccountKind.USER)
    opened = stored(store, tmp_path, [account("alice"), guest], *parts, *connect("[shop].[guest]"))
    assert ask(store, opened, "select") == {"alice": ("yes", "SELECT on database (grant)")}


LOGINS, SERVER_ROLES, ROLES = ("L1", "L2", "L3"), ("S1", "S2"), ("[shop].[D1]", "[shop].[D2]", "[shop].[D3]")
LEVELS = ("table", "schema", "database", "server", "column")
ASKED = ("SELECT", "ALTER", "DROP")
STRENGTH = ("", "depends", "yes")


@dataclass
class Model:
    """Permissions of a random server. Each question is asked of one account, by what the documentation says of it."""

    memberships: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    permissions: set[tuple[str, str, str, str]] = field(default_factory=set[tuple[str, str, str, str]])  # who, level, privilege, effect
    owners: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    users: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, chance: random.Random) -> "Model":
        model = cls(users={name for name in LOGINS if chance.random() < 0.7})
        for roles, members in ((SERVER_ROLES, (*LOGINS, *SERVER_ROLES)), (ROLES, (*LOGINS, *ROLES))):
            for place, name in enumerate(roles):
                lower = [other for other in members if other not in roles[: place + 1]]
                model.memberships |= {(other, name) for other in lower if chance.random() < 0.3}
        if chance.random() < 0.3:
            model.memberships.add((chance.choice((*LOGINS, *SERVER_ROLES)), "sysadmin"))
        for _ in range(chance.randrange(1, 7)):
            level = chance.choice(LEVELS)
            who = chance.choice((*LOGINS, *SERVER_ROLES) if level == "server" else (*LOGINS, *ROLES, "[shop].[public]"))
            privilege = (
                "CONTROL SERVER"
                if level == "server"
                else chance.choice(("SELECT", "ALTER", "CONTROL") if level != "column" else ["SELECT"])
            )
            model.permissions.add((who, level, privilege, chance.choice(("grant", "grant", "deny"))))
        if chance.random() < 0.5:
            model.owners.add((chance.choice((*LOGINS, *ROLES)), "schema"))
        if chance.random() < 0.5:
            model.owners.add((chance.choice(LOGINS), "database"))
        return model

    def tokens(self, name: str) -> set[str]:
        """What SQL Server checks permissions for: the account, its roles, theirs, and public."""
        reached, waiting = {name, "public", "[shop].[public]"}, [name]
        while waiting:
            current = waiting.pop()
            further = {role for who, role in self.memberships if who == current} - reached
            reached |= further
            waiting += further
        return reached

    def permission(self, name: str, privileges: Sequence[tuple[str, str]]) -> str:
        """yes, depends or nothing for one permission, given which level and privilege covers it."""
        tokens = self.tokens(name)
        if "sysadmin" in tokens:
            return "yes"
        said = {
            (level, effect)
            for who, level, privilege, effect in self.permissions
            if who in tokens and ((level, privilege) in privileges or (level == "column" and ("column", "SELECT") in privileges))
        }
        granted = any(effect == "grant" and level != "column" for level, effect in said)
        granted |= any(who in tokens for who, _ in self.owners)
        denied = any(effect == "deny" and level != "column" for level, effect in said)
        if any(who == name for who, _ in self.owners):
            return "yes"
        if denied:
            return "depends" if ("column", "grant") in said else ""
        if granted:
            return "depends" if ("column", "deny") in said else "yes"
        return "depends" if ("column", "grant") in said else ""

    def enters(self, name: str) -> bool:
        tokens = self.tokens(name)
        if "sysadmin" in tokens or (name, "database") in self.owners:
            return True
        said = {
            effect
            for who, level, privilege, effect in self.permissions
            if who in tokens and (level, privilege) in {("database", "CONTROL"), ("server", "CONTROL SERVER")}
        }
        return "deny" not in said and (name in self.users or "grant" in said)

    @staticmethod
    def ways(privilege: str) -> list[list[tuple[str, str]]]:
        """What covers a privilege on the table; each way by itself is enough."""
        above = [("server", "CONTROL SERVER"), ("database", "CONTROL"), ("schema", "CONTROL")]
        if privilege == "DROP":
            return [[*above, ("schema", "ALTER"), ("database", "ALTER")], [*above, ("table", "CONTROL")]]
        column = [("column", "SELECT")] if privilege == "SELECT" else []
        return [[*above, ("table", "CONTROL"), *((level, privilege) for level in ("table", "schema", "database")), *column]]

    def denies(self, privilege: str) -> bool:
        """Something of it is denied to somebody."""
        return any(effect == "deny" and (level, name) in way for way in self.ways(privilege) for _, level, name, effect in self.permissions)

    def answer(self, name: str, privilege: str) -> str:
        best = max((self.permission(name, way) for way in self.ways(privilege)), key=STRENGTH.index)
        return best if name not in LOGINS or self.enters(name) else ""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=10**9))
def test_the_answers_are_those_of_the_model(store: Database, tmp_path: Path, seed: int) -> None:
    model = Model.of(random.Random(seed))  # noqa: S311 - a repeatable scene
    roles = [account(name, kind=AccountKind.ROLE, can_login=False) for name in SERVER_ROLES]
    instance = stored(
        store,
        tmp_path,
        [*map(account, LOGINS), *roles, *(inside(name.split("[")[2].removesuffix("]")) for name in ROLES)],
        KNOWN,
        *(member(*pair) for pair in model.memberships),
        *(fact(who, privilege, level, effect=effect) for who, level, privilege, effect in model.permissions),
        *(fact(who, "OWNER", level) for who, level in model.owners),
        *connect(*model.users),
    )
    for privilege in ASKED:
        answers = {name: now for name, (now, _) in ask(store, instance, privilege).items() if now != "no"}
        everybody = answers.pop("[shop].[public]", "")
        for name in (*LOGINS, *SERVER_ROLES, *ROLES):
            # Where nothing is denied, what everybody has stands once, for all who enter; elsewhere it is written out.
            stands_once = not model.denies(privilege) and (name not in LOGINS or model.enters(name))
            answer = max(answers.get(name, ""), everybody if stands_once else "", key=STRENGTH.index)
            assert answer == model.answer(name, privilege), (privilege, name, model)
