"""What the routes of accounts answer: the dataclasses of the verbs with their properties, flattened for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from whalefall_pipelines.accounts.figures import Change
from whalefall_pipelines.accounts.read_accounts import AccountSheet, Bounds, OwnPrivilege
from whalefall_pipelines.accounts.who_can import Answer


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account on a day. Unknown is null: it could not be read."""

    account_id: int
    instance_id: int
    instance_name: str
    engine: str
    account_name: str
    account_kind: str
    is_built_in: bool
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
class Observations:
    """The servers that were not observed on a day, with the observations around it."""

    day: date
    unobserved: tuple[Bounds, ...]


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role that an account reaches, and the chain that leads to it. Without `has_now` only SET ROLE gives it."""

    role: str
    path: str
    has_now: bool
    is_superuser: bool | None
    database_name: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class UnknownView:
    """What could not be read, why, and the statement that makes it readable."""

    instance_name: str
    what: str
    reason: str
    detail: str
    cure: str | None


@dataclass(frozen=True, slots=True)
class AccountSheetView:
    """One account with its roles and privileges, and what is unknown."""

    account: AccountView
    roles: tuple[RoleView, ...]
    privileges: tuple[OwnPrivilege, ...]
    unknown: tuple[UnknownView, ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What changed of an account, after the observation of `observed_before` and not after `day`."""

    day: date
    observed_before: date | None
    instance_name: str
    account_name: str
    change_type: str
    sentence: str
    detail: Mapping[str, Any]
    session_id: UUID | None


@dataclass(frozen=True, slots=True)
class ChangesView:
    """The newest changes of these days. `total` counts all of them."""

    first_day: date
    last_day: date
    total: int
    items: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True)
class HolderView:
    """Who has a privilege on an object. `has_now` is yes, depends, or no: it can only become somebody who has it."""

    instance_name: str
    object_name: str
    account_name: str
    is_everyone: bool
    can_login: bool | None
    has_now: str
    path: str
    since: date | None


@dataclass(frozen=True, slots=True)
class WhoCanView:
    """The holders of a privilege. The answer is complete if nothing is unknown. The servers of `inapplicable` have no such privilege."""

    is_complete: bool
    holders: tuple[HolderView, ...]
    unknown: tuple[UnknownView, ...]
    inapplicable: tuple[str, ...]


def account_view(row: Any) -> AccountView:
    """One account."""
    return AccountView(**{name: getattr(row, name) for name in AccountView.__slots__})


def sheet_view(sheet: AccountSheet) -> AccountSheetView:
    """One account with its roles and privileges."""
    roles = {role.account_id: role for role in sorted(sheet.roles, key=lambda role: role.has_now)}
    return AccountSheetView(
        account_view(sheet.account),
        tuple(
            RoleView(role.account_name, sheet.chains[role.account_id], role.has_now, role.is_superuser, role.database_name, role.since)
            for role in roles.values()
        ),
        sheet.privileges,
        tuple(UnknownView(gap.instance_name, gap.what, gap.reason, gap.detail, gap.cure) for gap in sheet.gaps),
    )


def change_view(change: Change) -> ChangeView:
    """One change."""
    names = ("day", "observed_before", "instance_name", "account_name", "change_type", "sentence", "detail", "session_id")
    return ChangeView(*(getattr(change, name) for name in names))


def holders_view(answer: Answer) -> WhoCanView:
    """The holders of a privilege."""
    return WhoCanView(
        not answer.unread,
        tuple(
            HolderView(
                holder.target.instance_name,
                holder.target.name,
                holder.account_name,
                holder.is_everyone,
                holder.can_login,
                holder.has_now,
                holder.path,
                holder.since,
            )
            for holder in answer.holders
        ),
        tuple(UnknownView(gap.instance_name, gap.what, gap.reason, gap.detail, gap.cure) for gap in answer.unread),
        tuple(f"{target.instance_name}: {target.name}" for target in answer.inapplicable),
    )
