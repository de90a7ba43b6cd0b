"""Who can get in: the accounts, their changes, one account, and who has a privilege on an object."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from whalefall_pipelines.accounts.figures import Change
from whalefall_pipelines.accounts.read_accounts import (
    AccountRow,
    accounts_of,
    count_superusers,
    find_drift,
    list_changes,
    page_accounts,
    show_account,
)
from whalefall_pipelines.accounts.who_can import who_can
from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Field,
    Links,
    Note,
    Page,
    Picture,
    Search,
    Table,
    Tone,
    day,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.charts.paths import AccessPath, paths_chart
from whalefall_pipelines.console.pages.classes import classes_table
from whalefall_pipelines.console.urls import account_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

_CHANGES_DAYS, _CHANGES, _LISTED = 30, 500, 500
_DRAWN = 25
_ARROW = '<g class="step-box{}"><line class="arrow" x1="1" x2="10" y1="7" y2="7"/><path class="head" d="M8 3L13 7L8 11Z"/></g>'
_PATH_LEGEND = ((_ARROW.format(""), "has what the role has"), (_ARROW.format(" becoming"), "must become the role by SET ROLE"))


def access_page(database: Database, today: date, query: Mapping[str, str], as_of: date | None) -> Page:
    """The classes and the accounts of a day, who can do what was asked, where servers differ, and the changes of the last days."""
    asked_day = as_of or today
    privilege, object_name, tag = query.get("privilege"), query.get("object"), query.get("tag")
    known, superusers = count_superusers(database, asked_day)
    drift = Search("Compare servers", [Field("tag", "Servers with the tag", tag or "", "env=prod")])
    blocks: list[Block] = [_question(privilege, object_name, asked_day), drift]
    if tag:
        blocks.append(_drift(database, tag, asked_day))
    if privilege and object_name:
        blocks += _who_can(database, privilege, object_name, asked_day)
    changes = list_changes(database, asked_day - timedelta(days=_CHANGES_DAYS), asked_day, (), _CHANGES)
    blocks += [classes_table(database, asked_day), Links([text("Classes and rules", "/classes")]), _changes(changes)]
    blocks += _accounts(database, query, asked_day)
    accounts = counted(known, "account is", "accounts are")
    answer = f"{accounts} known on {asked_day}, and {counted(superusers, 'is a superuser', 'are superusers')}."
    return Page("Access", answer, blocks)


def _accounts(database: Database, query: Mapping[str, str], asked_day: date) -> list[Block]:
    """The accounts that were asked for, at most as many as a page can show."""
    server, part = query.get("server", ""), query.get("account", "")
    superusers_only, with_built_in = bool(query.get("superusers")), bool(query.get("built_in"))
    question = Search(
        "Find accounts",
        [
            Field("account", "Name contains", part, "app"),
            Field("server", "Server", server, "orders"),
            Field("superusers", "Superusers only", query.get("superusers", ""), kind="checkbox"),
            Field("built_in", "With those that come with the server", query.get("built_in", ""), kind="checkbox"),
            Field("day", "as of", asked_day.isoformat(), kind="date"),
        ],
    )
    try:
        wanted = accounts_of(
            database,
            asked_day,
            names=[server] if server else (),
            superusers_only=superusers_only,
            with_built_in=with_built_in,
            part=part or None,
        )
    except NotFoundError as error:
        return [question, Note(Tone.WARNING, f"There is no server {server}.", str(error))]
    rows = page_accounts(database, wanted, None, {"skipped": 0, "most": _LISTED + 1})
    narrow = "Name a server or a part of the name. `whalefall accounts list` has all."
    more = Note(Tone.WARNING, f"Only {_LISTED} accounts are shown, and are in the CSV file.", narrow)
    return [question, *([more] if len(rows) > _LISTED else []), _listing(rows[:_LISTED], asked_day)]


def _listing(accounts: Sequence[AccountRow], asked_day: date) -> Table:
    return Table(
        "accounts",
        "Accounts",
        ("Account", "Server", "Kind", "Superuser", "Can log in", "Locked", "First seen", "Observed"),
        [
            (
                text(account.account_name, account_url(account.instance_name, account.account_name, asked_day)),
                text(account.instance_name, server_url(account.instance_name)),
                text(account.account_kind),
                yes_or_no(account.is_superuser),
                yes_or_no(account.can_login),
                yes_or_no(account.is_locked),
                day(account.first_seen_date),
                day(account.observed_on),
            )
            for account in accounts
        ],
        "No such account is known. `whalefall accounts sync` reads the accounts of the servers.",
    )


def _question(privilege: str | None, object_name: str | None, asked_day: date) -> Search:
    return Search(
        "Who can?",
        [
            Field("privilege", "Who can", privilege or "", "DROP"),
            Field("object", "on", object_name or "", "orders.invoices"),
            Field("day", "as of", asked_day.isoformat(), kind="date"),
        ],
    )


def account_page(database: Database, instance_name: str, account_name: str, as_of: date) -> Page:
    """One account on a day: attributes, roles and privileges with the path of each.

    Raises:
        NotFoundError: there was no such account on that day, as far as it was observed.
    """
    sheet = show_account(database, instance_name, account_name, as_of)
    account = sheet.account
    cards = Cards(
        [
            Card("Server", text(account.instance_name, server_url(account.instance_name)), account.engine),
            Card("Superuser", yes_or_no(account.is_superuser)),
            Card("Can log in", yes_or_no(account.can_login), "locked" if account.is_locked else ""),
            Card("First seen", day(account.first_seen_date)),
            Card("Observed", day(account.observed_on), "the newest observation up to this day"),
        ]
    )
    privileges = Table(
        "privileges",
        "Privileges",
        ("Privilege", "On", "Through", "Now", "Grantable", "Since"),
        [
            (
                text(privilege.privilege),
                text(privilege.target),
                text(privilege.through or "itself"),
                text("yes" if privilege.has_now else "after SET ROLE"),
                yes_or_no(privilege.is_grantable),
                day(privilege.since),
            )
            for privilege in sheet.privileges
        ],
        "No privilege is known.",
    )
    unread = [Note(Tone.WARNING, f"Not read: {gap.database_name or 'the server'}.", gap.detail) for gap in sheet.gaps]
    return Page(account_name, f"{account.account_kind} of {instance_name} as of {as_of}.", [cards, *unread, privileges])


def _who_can(database: Database, privilege: str, object_name: str, asked_day: date) -> list[Block]:
    title = f"Who can {privilege.upper()} {object_name}"
    try:
        answer = who_can(database, privilege, object_name, asked_day)
    except (NotFoundError, InputError) as error:
        return [Note(Tone.WARNING, f"{title}?", str(error))]
    rows = [
        (
            text(holder.account_name, account_url(holder.target.instance_name, holder.account_name, asked_day)),
            text(holder.target.instance_name, server_url(holder.target.instance_name)),
            text(holder.target.name),
            text(holder.has_now),
            text(holder.path),
            day(holder.since),
        )
        for holder in answer.holders
    ]
    columns = ("Account", "Server", "Object", "Now", "Path", "Since")
    table = Table("who-can", title, columns, rows, "No account, as far as privileges were read.")
    drawn = [
        AccessPath(
            f"{holder.target.instance_name}/{holder.account_name}",
            holder.steps,
            account_url(holder.target.instance_name, holder.account_name, asked_day),
        )
        for holder in answer.holders[:_DRAWN]
    ]
    shown: list[Block] = [Picture(title, paths_chart(title, drawn), _PATH_LEGEND, table)] if drawn else [table]
    unread = [
        Note(Tone.WARNING, f"More accounts may have it, because {gap.instance_name} was not read completely.", gap.detail)
        for gap in answer.unread
    ]
    return [*shown, *unread]


def _drift(database: Database, tag: str, asked_day: date) -> Block:
    """Accounts of one name that are not the same on the servers with a tag."""
    try:
        differences = find_drift(database, tag, asked_day)
    except (NotFoundError, InputError) as error:
        return Note(Tone.WARNING, "These servers cannot be compared.", str(error))
    rows = [
        (
            text(drift.account_name),
            text(drift.engine),
            text(drift.difference),
            text(", ".join(drift.present_on) or None),
            text(", ".join(drift.missing_on) or None),
        )
        for drift in differences
    ]
    columns = ("Account", "Engine", "Difference", "On", "Not on")
    return Table("drift", f"Differences between servers with {tag}", columns, rows, "The accounts of these servers are alike.")


def _changes(changes: Sequence[Change]) -> Table:
    return Table(
        "changes",
        f"Changes of {_CHANGES_DAYS} days",
        ("Day", "Server", "Account", "Change"),
        [
            (
                day(change.day),
                text(change.instance_name, server_url(change.instance_name)),
                text(change.account_name, account_url(change.instance_name, change.account_name, change.day)),
                text(change.sentence),
            )
            for change in changes
        ],
        "Nothing changed.",
    )
