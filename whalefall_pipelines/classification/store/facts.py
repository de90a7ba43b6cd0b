"""Reads the stored facts of one account on a day, for an explanation. All accounts at once are `evaluation.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.classification.facts import UnreadFacts
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What an account was by itself, and its server."""

    account_id: int
    instance_id: int
    engine: str
    account_name: str
    account_kind: str
    is_built_in: bool
    is_everyone: bool
    attributes: Mapping[str, Any]
    password_changed_on: date | None
    password_expires_on: date | None
    first_seen_on: date
    last_login_on: date | None
    host_count: int
    member_count: int
    tags: Mapping[str, str]
    server_version: str | None


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """A membership, with what is known of its role."""

    member_id: int
    role_id: int
    role_name: str
    database_of_role: str | None
    user_of_role: str | None
    is_superuser: bool | None
    inherits: bool
    can_set: bool
    is_default: bool
    database_name: str | None


@dataclass(frozen=True, slots=True)
class PrivilegeRow:
    """A privilege that an account has by itself."""

    account_id: int
    privilege: str
    scope: str
    database_name: str | None
    schema_name: str | None
    object_name: str | None
    column_name: str | None
    is_grantable: bool
    effect: str


@dataclass(frozen=True, slots=True)
class EveryoneRow:
    """An account of which everybody is a member."""

    account_id: int
    account_name: str


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """The facts around one account."""

    account: AccountRow
    memberships: tuple[MembershipRow, ...]
    everyone: tuple[EveryoneRow, ...]
    unread: tuple[UnreadFacts, ...]


def find_account(database: Database, instance_name: str, account_name: str, day: date) -> StoredFacts | None:
    """One account with the memberships of its instance; None if there was none of that name on the day."""
    with database.transaction() as cursor:
        parameters: dict[str, object] = {"day": day, "instance_name": instance_name, "account_name": account_name}
        cursor.execute(queries.load("classification/find_account"), parameters)
        accounts = fetch_as(cursor, AccountRow)
        if not accounts:
            return None
        parameters["instance_id"] = accounts[0].instance_id
        return StoredFacts(
            accounts[0],
            _rows(cursor, "list_memberships", MembershipRow, parameters),
            _rows(cursor, "list_everyone", EveryoneRow, parameters),
            _rows(cursor, "list_unread", UnreadFacts, parameters),
        )


def list_privileges(database: Database, account_ids: Sequence[int], day: date) -> tuple[PrivilegeRow, ...]:
    """The privileges that these accounts have by themselves."""
    with database.transaction() as cursor:
        return _rows(cursor, "list_privileges", PrivilegeRow, {"account_ids": list(account_ids), "day": day})


def _rows(cursor: Cursor, name: str, model: type[Any], parameters: Mapping[str, object]) -> tuple[Any, ...]:
    cursor.execute(queries.load(f"classification/{name}"), parameters)
    return fetch_as(cursor, model)
