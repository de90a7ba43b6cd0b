"""The routes of accounts: who can get into which server, through what, and what changed. They need access to accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from whalefall_pipelines.accounts import read_accounts, who_can
from whalefall_pipelines.accounts.figures import Change
from whalefall_pipelines.accounts.read_accounts import AccountSheet, OwnPrivilege
from whalefall_pipelines.accounts.read_now import AccountsRead, read_now
from whalefall_pipelines.accounts.who_can import Answer
from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.filters import TEXT, InstanceId
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Launched, Services, ServicesOf, launch
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.inventory.fleet import registered_instance

ROUTES = Routes("accounts")
_NAME = Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT)]
NamesOf = Annotated[list[_NAME] | None, Query(description="Only the server with this name. Can be repeated.")]
DayOf = Annotated[date | None, Query(description="Answer for this past day instead of today.")]


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
    """The holders of a privilege. The answer is complete if nothing is unknown and nothing is of an engine that is not computed."""

    is_complete: bool
    holders: tuple[HolderView, ...]
    unknown: tuple[UnknownView, ...]
    uncomputed: tuple[str, ...]


@ROUTES.get("/accounts", needs_access=True, problems=(404,))
def list_accounts(
    services: ServicesOf,
    paging: PagingOf,
    instance: NamesOf = None,
    tag: Annotated[str | None, Query(max_length=500, pattern=TEXT, description="Only servers with this tag, as KEY=VALUE.")] = None,
    superusers_only: Annotated[bool, Query(description="Only superusers.")] = False,
    built_in: Annotated[bool, Query(description="Also the accounts that the servers made themselves.")] = False,
    as_of: DayOf = None,
) -> Page[AccountView]:
    """List the accounts of a day."""
    day = _day(services, as_of)
    rows = read_accounts.list_accounts(services.reader, day, names=instance or (), superusers_only=superusers_only, tag=tag)
    after = paging.after_values("after_id")["after_id"]
    kept = [row for row in sorted(rows, key=lambda row: row.account_id) if built_in or not row.is_built_in]
    page = [_account(row) for row in kept if after is None or row.account_id > int(after)]
    return paging.page_of(page[paging.offset :][: paging.limit + 1], "account_id", total=len(kept) if paging.wants_total else None)


@ROUTES.get("/instances/{instance_id}/account", needs_access=True)
def get_account(
    services: ServicesOf,
    instance_id: InstanceId,
    account_name: Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The account.")],
    as_of: DayOf = None,
) -> AccountSheetView:
    """Show an account with its roles and privileges, and through what it has them."""
    name = registered_instance(services.reader, instance_id).entry.name
    return _sheet(read_accounts.show_account(services.reader, name, account_name, _day(services, as_of)))


@ROUTES.get("/changes", needs_access=True, problems=(404,))
def list_changes(
    services: ServicesOf,
    instance: NamesOf = None,
    start_date: Annotated[date | None, Query(description="The first day; a week ago by default.")] = None,
    end_date: Annotated[date | None, Query(description="The last day, inclusive; today by default.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="The most changes.")] = 200,
) -> ChangesView:
    """List what was granted, revoked, added, dropped or changed, newest first."""
    last_day = _day(services, end_date)
    first_day = start_date or last_day - timedelta(days=7)
    if first_day > last_day:
        raise Refusal(400, "VALIDATION_ERROR", f"start_date {first_day} is after the last day {last_day}.")
    changes = read_accounts.list_changes(services.reader, first_day, last_day, instance or (), limit)
    return ChangesView(first_day, last_day, changes[0].change_count if changes else 0, tuple(map(_change, changes)))


@ROUTES.get("/who-can", needs_access=True, problems=(404,))
def list_who_can(
    services: ServicesOf,
    privilege: Annotated[str, Query(pattern="^[A-Za-z][A-Za-z _]{0,63}$", description="A privilege such as SELECT or CONNECT.")],
    object_name: Annotated[str, Query(min_length=1, max_length=1000, pattern=TEXT, description="A table, or a database.")],
    instance: NamesOf = None,
    as_of: DayOf = None,
) -> WhoCanView:
    """Tell who has a privilege on an object, through which chain and since when."""
    return _holders(who_can.who_can(services.reader, privilege, object_name, _day(services, as_of), instance or ()))


@ROUTES.post("/instances/{instance_id}/actions/sync-accounts")
def sync_accounts(services: ServicesOf, instance_id: InstanceId) -> Reply[AccountsRead]:
    """Read the accounts of one server now, without a session."""
    read = read_now(services.settings, services.writer, instance_id, services.fleet)
    return Reply(read, f"{read.accounts} accounts were read.")


@ROUTES.post("/accounts/actions/sync", status=202, problems=(502,))
def sync_all_accounts(services: ServicesOf) -> Reply[Launched]:
    """Read the accounts of every server in Dagster."""
    day = services.today()
    launched = launch(services, Run("sync_accounts", SyncCategory.ACCOUNT, day, day))
    return Reply(launched, "launched", 202, {"Location": launched.session_url})


def _day(services: Services, day: date | None) -> date:
    if day is not None and not date(1970, 1, 1) <= day <= date(9000, 1, 1):
        raise Refusal(400, "VALIDATION_ERROR", "The day must be between 1970-01-01 and 9000-01-01.")
    return day or services.today()


def _account(row: Any) -> AccountView:
    return AccountView(**{name: getattr(row, name) for name in AccountView.__slots__})


def _sheet(sheet: AccountSheet) -> AccountSheetView:
    roles = {role.account_id: role for role in sorted(sheet.roles, key=lambda role: role.has_now)}
    return AccountSheetView(
        _account(sheet.account),
        tuple(
            RoleView(role.account_name, sheet.chains[role.account_id], role.has_now, role.is_superuser, role.database_name, role.since)
            for role in roles.values()
        ),
        sheet.privileges,
        tuple(UnknownView(gap.instance_name, gap.what, gap.reason, gap.detail, gap.cure) for gap in sheet.gaps),
    )


def _change(change: Change) -> ChangeView:
    names = ("day", "observed_before", "instance_name", "account_name", "change_type", "sentence", "detail", "session_id")
    return ChangeView(*(getattr(change, name) for name in names))


def _holders(answer: Answer) -> WhoCanView:
    return WhoCanView(
        not answer.unread and not answer.uncomputed,
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
        tuple(f"{target.instance_name}: {target.name}" for target in answer.uncomputed),
    )
