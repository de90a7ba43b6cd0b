"""A fleet of fake servers with accounts, and what the store knows of them on a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.accounts.write_snapshot import AccountsOutcome
from whalefall_pipelines.domain.accounts import (
    Account,
    AccountAttributes,
    AccountKind,
    AccountListing,
    AccountMembership,
    AccountMethod,
    AccountPrivilege,
    AccountPrivileges,
    AccountReach,
    UnreadScope,
)
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, NIGHT, query, register


def account(name: str, native_id: str | None = None, kind: AccountKind = AccountKind.USER, **attributes: object) -> Account:
    """An account that may log in and is no superuser, unless told otherwise."""
    values = {"can_login": True, "is_superuser": False} | attributes
    return Account(name, kind, native_id, attributes=AccountAttributes(**values))  # type: ignore[arg-type]


def privilege(
    account_name: str, privilege_name: str, table: str | None = "invoices", *, schema: str | None = "orders", database: str | None = "shop"
) -> AccountPrivilege:
    """A privilege on a table, or on a schema, or on a database."""
    scope = "table" if table else "schema" if schema else "database"
    origin = "ownership" if privilege_name == "OWNER" else "grant"
    return AccountPrivilege(account_name, scope, database, schema, table, None, privilege_name, False, origin)


def member(member_name: str, role_name: str, **flags: bool) -> AccountMembership:
    """A membership that inherits, may be set, and is active at login."""
    values = {"inherits": True, "can_set": True, "can_admin": False, "is_default": True} | flags
    return AccountMembership(member_name, role_name, **values)


def listing(*accounts: Account, unread: Sequence[UnreadScope] = ()) -> AccountListing:
    return AccountListing(accounts, AccountMethod.FAKE, unread)


def facts(*parts: AccountMembership | AccountPrivilege | AccountReach, unread: Sequence[UnreadScope] = ()) -> AccountPrivileges:
    """What phase two reads, of facts in any order."""
    return AccountPrivileges(
        tuple(part for part in parts if isinstance(part, AccountMembership)),
        tuple(part for part in parts if isinstance(part, AccountPrivilege)),
        tuple(part for part in parts if isinstance(part, AccountReach)),
        unread,
    )


@dataclass
class AccountsTest:
    """A registered fake fleet. `day` is the day on which it is synchronised next."""

    store: Database
    home: Path
    servers: dict[str, FakeServer] = field(default_factory=lambda: {"a": FakeServer()})
    engine: Engine = Engine.POSTGRESQL
    day: date = DAY
    now: datetime = NIGHT

    def __post_init__(self) -> None:
        self.instances = register(self.store, *self.servers, engine=self.engine)

    def hold(self, accounts: AccountListing, privileges: AccountPrivileges, name: str = "a") -> None:
        self.servers[name].accounts = accounts
        self.servers[name].account_privileges = privileges

    def tomorrow(self) -> None:
        self.day += timedelta(days=1)
        self.now += timedelta(days=1)

    def collection(self) -> Collection:
        return Collection(
            database=self.store,
            fleet=FakeFleet(self.servers, Deadlines(instance_seconds=0.5)),
            secrets=SecretBox(load_settings({"WHALEFALL_HOME": str(self.home)})),
            parallel=8,
            grace=timedelta(hours=2),
            retry_rule=RetryRule(pause_seconds=0),
            clock=lambda: self.now,
        )

    def sync(self) -> dict[str, AccountsOutcome]:
        """Read the day without a session."""
        return {outcome.instance.name: outcome for outcome in sync_accounts(self.collection(), self.instances, self.day, None)}

    def sync_in_session(self) -> tuple[UUID, dict[str, AccountsOutcome]]:
        """Read the day in a session of its own."""
        plan = SessionPlan(uuid4(), SyncCategory.ACCOUNT, SyncType.MANUAL_TASK, self.day, self.day)
        with sync_session(self.store, plan, self.instances) as check:
            outcomes = list(sync_accounts(replace(self.collection(), check=check), self.instances, self.day, plan.session_id))
        return plan.session_id, {outcome.instance.name: outcome for outcome in outcomes}

    def accounts(self) -> Mapping[str, bool]:
        """The names of all known accounts, and whether they are active."""
        rows = query(self.store, "select account_name, is_active from instance_accounts order by account_id")
        return {str(name): bool(is_active) for name, is_active in rows}

    def privileges(self, day: date | None = None) -> set[tuple[str, str, str]]:
        """Account, privilege and object of every privilege that held on a day."""
        rows = query(
            self.store,
            "select a.account_name, p.privilege, coalesce(p.object_name, p.schema_name, p.database_name, '') "
            "from account_privilege_versions as p join instance_accounts as a using (account_id) "
            "where p.valid_from <= %s and (p.valid_until is null or p.valid_until > %s)",
            day or self.day,
            day or self.day,
        )
        return {(str(name), str(privilege), str(target)) for name, privilege, target in rows}

    def memberships(self, day: date | None = None) -> set[tuple[str, str]]:
        """Member and role of every membership that held on a day."""
        rows = query(
            self.store,
            "select m.account_name, r.account_name from account_membership_versions as v "
            "join instance_accounts as m on m.account_id = v.member_id join instance_accounts as r on r.account_id = v.role_id "
            "where v.valid_from <= %s and (v.valid_until is null or v.valid_until > %s)",
            day or self.day,
            day or self.day,
        )
        return {(str(name), str(role)) for name, role in rows}

    def changes(self) -> set[tuple[date, str, str]]:
        """Day, account and change type of the change log."""
        rows = query(self.store, "select day, account_name, change_type from account_change_log")
        return {(day, str(name), str(kind)) for day, name, kind in rows}  # type: ignore[misc]

    def stored_rows(self) -> list[tuple[object, ...]]:
        """Every version with its place on disk, which a rewrite would change."""
        tables = ("account_attributes", "account_membership_versions", "account_privileges", "instance_accounts", "account_gaps")
        return [row for table in tables for row in query(self.store, f"select '{table}', ctid::text, t::text from {table} as t")]
