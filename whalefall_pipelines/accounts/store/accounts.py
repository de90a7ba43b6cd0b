"""Reads accounts, their roles and their privileges of any day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as

# Differences on so many objects of a schema are listed one by one.
MOST_OBJECTS = 5


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account on a day. `observed_on` is the newest observation up to that day."""

    account_id: int
    instance_id: int
    instance_name: str
    engine: str
    account_name: str
    account_kind: str
    is_built_in: bool
    is_everyone: bool
    can_login: bool | None
    is_superuser: bool | None
    is_locked: bool | None
    is_password_expired: bool | None
    has_empty_password: bool | None
    password_changed_at: datetime | None
    password_expires_at: datetime | None
    authentication: str | None
    attributes: Mapping[str, Any]
    first_seen_date: date
    last_login_at: datetime | None
    observed_on: date | None


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts of a day are asked for. Empty selections mean all. `part` is a part of the name, whatever its case."""

    day: date
    names: Sequence[str] = ()
    account_names: Sequence[str] = ()
    superusers_only: bool = False
    with_built_in: bool = True
    tag: tuple[str, str] | None = None
    part: str | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the statements."""
        tag_name, tag_value = self.tag or (None, None)
        return {
            "day": self.day,
            "names": list(self.names) or None,
            "account_names": list(self.account_names) or None,
            "superusers_only": self.superusers_only,
            "with_built_in": self.with_built_in,
            "tag_name": tag_name,
            "tag_value": tag_value,
            "part": self.part,
        }


@dataclass(frozen=True, slots=True)
class ReachedRole:
    """One step of the account `root_id` to a role: `via_id` is the member through which it is reached, without SET ROLE if it
    `is_active`. With `database_name` it holds in that database alone."""

    root_id: int
    account_id: int
    account_name: str
    via_id: int | None
    is_active: bool
    has_now: bool
    can_become: bool
    since: date | None
    database_name: str | None
    is_superuser: bool | None


@dataclass(frozen=True, slots=True)
class PrivilegeRow:
    """A privilege that an account has by itself."""

    account_id: int
    scope: str
    database_name: str | None
    schema_name: str | None
    object_name: str | None
    column_name: str | None
    privilege: str
    is_grantable: bool
    origin: str
    effect: str
    traits: str
    since: date


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between the accounts of one name on several servers."""

    account_name: str
    engine: str
    difference: str
    present_on: tuple[str, ...]
    missing_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The newest observation of an instance up to a day, and the first one after it."""

    instance_name: str
    observed_before: date | None
    observed_after: date | None


def list_accounts(database: Database, wanted: AccountFilter) -> tuple[AccountRow, ...]:
    """The accounts that existed on a day, by instance and name."""
    rows = page_accounts(database, wanted, after_id=None, limits={"skipped": 0, "most": None})
    return tuple(sorted(rows, key=lambda row: (row.instance_name, row.account_name)))


def page_accounts(
    database: Database, wanted: AccountFilter, *, after_id: int | None, limits: Mapping[str, int | None]
) -> tuple[AccountRow, ...]:
    """A page of these accounts in the order in which they were first seen, after the one with this id."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_accounts"), {**wanted.parameters, "after_id": after_id, **limits})
        return fetch_as(cursor, AccountRow)


def count_accounts(database: Database, wanted: AccountFilter) -> int:
    """How many accounts existed on a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/count_accounts"), wanted.parameters)
        ((count,),) = cursor.fetchall()
    return count


def count_superusers(database: Database, day: date) -> tuple[int, int]:
    """How many accounts existed on a day, and how many of them were superusers."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/count_superusers"), {"day": day})
        ((accounts, superusers),) = cursor.fetchall()
    return accounts, superusers


def list_roles_of(database: Database, account_ids: Sequence[int], day: date) -> tuple[ReachedRole, ...]:
    """The steps of accounts to all roles that they reach, and each account itself without `via_id`."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_roles_of"), {"account_ids": list(account_ids), "day": day})
        return fetch_as(cursor, ReachedRole)


def list_privileges_of(database: Database, account_ids: Sequence[int], day: date) -> tuple[PrivilegeRow, ...]:
    """The privileges that these accounts have by themselves."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_privileges_of"), {"account_ids": list(account_ids), "day": day})
        return fetch_as(cursor, PrivilegeRow)


def find_drift(database: Database, tag: tuple[str, str], day: date) -> tuple[Drift, ...]:
    """The differences between accounts of one name on the servers of one engine with a tag."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/find_drift"), {"day": day, "tag_name": tag[0], "tag_value": tag[1], "most": MOST_OBJECTS})
        return fetch_as(cursor, Drift)


def summarize_observations(database: Database, day: date, names: Sequence[str] = ()) -> tuple[Bounds, ...]:
    """Between which observations a day lies, for each instance that was ever observed."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/summarize_observations"), {"day": day, "names": list(names) or None})
        return fetch_as(cursor, Bounds)
