"""The routes of accounts: who can get into which server, through what, and what changed. They need access to accounts."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Query

from whalefall_pipelines.accounts import read_accounts, who_can
from whalefall_pipelines.accounts.api_views import (
    AccountSheetView,
    AccountView,
    ChangesView,
    Observations,
    WhoCanView,
    account_view,
    change_view,
    holders_view,
    sheet_view,
)
from whalefall_pipelines.accounts.questions import observations_of
from whalefall_pipelines.accounts.read_now import AccountsRead, read_now
from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.filters import TEXT, InstanceId
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Launched, Services, ServicesOf, launch
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.inventory.fleet import registered_instance

ROUTES = Routes("accounts")
_NAME = Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT)]
NamesOf = Annotated[list[_NAME] | None, Query(description="Only the server with this name. Can be repeated.")]
DayOf = Annotated[date | None, Query(description="Answer for this past day instead of today.")]


@ROUTES.get("/accounts", needs_access=True, problems=(404,))
def list_accounts(
    services: ServicesOf,
    paging: PagingOf,
    instance: NamesOf = None,
    tag: Annotated[str | None, Query(max_length=500, pattern=TEXT, description="Only servers with this tag, as KEY=VALUE.")] = None,
    superusers_only: Annotated[bool, Query(description="Only superusers.")] = False,
    built_in: Annotated[bool, Query(description="Also list the servers' own accounts.")] = False,
    as_of: DayOf = None,
) -> Page[AccountView]:
    """List the accounts of a day in the order in which they were first seen."""
    wanted = read_accounts.accounts_of(
        services.reader, day_of(services, as_of), names=instance or (), superusers_only=superusers_only, with_built_in=built_in, tag=tag
    )
    rows = read_accounts.page_accounts(services.reader, wanted, paging.after_values("after_id")["after_id"], paging.parameters)
    total = read_accounts.count_accounts(services.reader, wanted) if paging.wants_total else None
    return paging.page_of(tuple(map(account_view, rows)), "account_id", total=total)


@ROUTES.get("/accounts/observations", needs_access=True)
def list_observations(services: ServicesOf, instance: NamesOf = None, as_of: DayOf = None) -> Observations:
    """List the servers that were not observed on a day, with the observations around it."""
    return observations_of(services.reader, instance=instance or (), as_of=day_of(services, as_of))


@ROUTES.get("/instances/{instance_id}/account", needs_access=True)
def get_account(
    services: ServicesOf,
    instance_id: InstanceId,
    account_name: Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The account.")],
    as_of: DayOf = None,
) -> AccountSheetView:
    """Show an account with its roles and privileges, and how it has them."""
    name = registered_instance(services.reader, instance_id).entry.name
    return sheet_view(read_accounts.show_account(services.reader, name, account_name, day_of(services, as_of)))


@ROUTES.get("/changes", needs_access=True, problems=(404,))
def list_changes(
    services: ServicesOf,
    instance: NamesOf = None,
    start_date: Annotated[date | None, Query(description="The first day; a week ago by default.")] = None,
    end_date: Annotated[date | None, Query(description="The last day, inclusive; today by default.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of changes.")] = 200,
) -> ChangesView:
    """List what was granted, revoked, added, dropped or changed, newest first."""
    last_day = day_of(services, end_date)
    first_day = start_date or last_day - timedelta(days=7)
    if first_day > last_day:
        raise Refusal(400, "VALIDATION_ERROR", f"start_date {first_day} is after the last day {last_day}.")
    changes = read_accounts.list_changes(services.reader, first_day, last_day, instance or (), limit)
    return ChangesView(first_day, last_day, changes[0].change_count if changes else 0, tuple(map(change_view, changes)))


@ROUTES.get("/who-can", needs_access=True, problems=(404,))
def list_who_can(
    services: ServicesOf,
    privilege: Annotated[str, Query(pattern="^[A-Za-z][A-Za-z _]{0,63}$", description="A privilege such as SELECT or CONNECT.")],
    object_name: Annotated[str, Query(min_length=1, max_length=1000, pattern=TEXT, description="A table, or a database.")],
    instance: NamesOf = None,
    as_of: DayOf = None,
) -> WhoCanView:
    """Show who has a privilege on an object, through which roles, and since when."""
    return holders_view(who_can.who_can(services.reader, privilege, object_name, day_of(services, as_of), instance or ()))


@ROUTES.post("/instances/{instance_id}/actions/sync-accounts")
def sync_accounts(services: ServicesOf, instance_id: InstanceId) -> Reply[AccountsRead]:
    """Read the accounts of one server now, without a session."""
    read = read_now(services.settings, services.writer, instance_id, services.fleet)
    return Reply(read, f"{counted(read.accounts, 'account was', 'accounts were')} read.")


@ROUTES.post("/accounts/actions/sync", status=202, problems=(502,))
def sync_all_accounts(services: ServicesOf) -> Reply[Launched]:
    """Read the accounts of every server in Dagster."""
    day = services.today()
    launched = launch(services, Run("sync_accounts", SyncCategory.ACCOUNT, day, day))
    return Reply(launched, "launched", 202, {"Location": launched.session_url})


def day_of(services: Services, day: date | None) -> date:
    """The day that is asked for; today by default.

    Raises:
        Refusal: no calendar of ours has it.
    """
    if day is not None and not date(1970, 1, 1) <= day <= date(9000, 1, 1):
        raise Refusal(400, "VALIDATION_ERROR", "The day must be between 1970-01-01 and 9000-01-01.")
    return day or services.today()
