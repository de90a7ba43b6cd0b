"""`whalefall accounts`: who can get into which server, through what, and since when.

`sync.py` has sync, `privileges.py` has who-can, reach, drift and export.
"""

from datetime import datetime, timedelta

import click

from whalefall_pipelines.accounts.cli.options import (
    as_of_option,
    day_of,
    instance_option,
    note_gaps,
    note_observations,
    print_list,
)
from whalefall_pipelines.accounts.cli.privileges import drift, export, reach, who_can
from whalefall_pipelines.accounts.cli.sync import sync
from whalefall_pipelines.accounts.questions import ACCOUNTS, OBSERVATIONS
from whalefall_pipelines.accounts.read_accounts import AccountSheet, last_seen, list_changes, not_observed, show_account
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, json_option, list_options, note, print_json, print_table


@click.group()
def accounts() -> None:
    """Show who can get into the servers, with which privileges, and since when."""


@accounts.command("list", cls=Asking)
@instance_option
@click.option("--superuser", "superusers_only", is_flag=True, help="Only superusers.")
@click.option("--tag", metavar="NAME=VALUE", help="Only servers with this tag.")
@click.option("--built-in", "built_in", is_flag=True, help="Also list the servers' own accounts.")
@as_of_option
@list_options
def list_(
    *,
    names: tuple[str, ...],
    superusers_only: bool,
    tag: str | None,
    built_in: bool,
    as_of: datetime | None,
    form: Form,
) -> None:
    """List accounts."""
    with open_source() as source:
        day = as_of.date() if as_of else source.today()
        filters = {"instance": names, "tag": tag, "superusers_only": superusers_only}
        known = source.ask(ACCOUNTS, **filters, built_in=True, as_of=day if as_of else None)
        if as_of:
            note_observations(source.ask(OBSERVATIONS, instance=names, as_of=day).unobserved, day)
    shown = [account for account in known if built_in or not account.is_built_in]
    shown.sort(key=lambda account: (account.instance_name, account.account_name))  # a server elsewhere tells the oldest first
    rows = [
        {
            "instance": account.instance_name,
            "account": account.account_name,
            "kind": account.account_kind,
            "can_login": account.can_login,
            "superuser": account.is_superuser,
            "locked": account.is_locked,
            "password_expires": account.password_expires_at,
            "first_seen": account.first_seen_date,
            "last_login": account.last_login_at,
        }
        for account in shown
    ]
    columns = ("instance", "account", "kind", "can_login", "superuser", "locked", "password_expires", "first_seen", "last_login")
    empty = f"No accounts are known on {day}." if as_of else "No accounts are known; read them with `whalefall accounts sync`."
    print_list(columns, rows, form=form, empty=empty)
    if len(shown) < len(known):
        hidden = counted(len(known) - len(shown), "built-in account is not", "built-in accounts are not")
        note(f"{hidden} listed; --built-in lists all accounts.")


@accounts.command()
@click.argument("instance", shell_complete=complete_instance)
@click.argument("account")
@as_of_option
@json_option
def show(*, instance: str, account: str, as_of: datetime | None, as_json: bool) -> None:
    """Show one account: its attributes, its roles, and its privileges with their paths.

    In a path, → leads to a role whose privileges the account has, and ⇒ to a role that it must switch to with SET ROLE.
    """
    with open_store(load_settings()) as database:
        day = day_of(database, as_of)
        sheet = show_account(database, instance, account, day)
        note_observations(not_observed(database, day, [instance]), day)
    if as_json:
        print_json(_document(sheet))
        return
    fields = _attributes(sheet)
    print_table(("field", "value"), [{"field": name, "value": value} for name, value in fields.items()])
    click.echo()
    print_table(("role", "path", "has_now", "superuser", "database", "since"), _roles(sheet), empty="It is not a member of any role.")
    click.echo()
    columns = ("privilege", "on", "through", "has_now", "grantable", "origin", "since")
    print_table(columns, _privileges(sheet), empty="It has no privileges that could be read.")
    note_gaps(sheet.gaps)


@accounts.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The first day; 7 days ago by default.")
@instance_option
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Maximum number of changes.")
@list_options
def changes(*, since: datetime | None, names: tuple[str, ...], limit: int, form: Form) -> None:
    """List what was granted, revoked, added, dropped or changed.

    A change happened after the observation in the column `after`, and on its day at the latest.
    """
    with open_store(load_settings()) as database:
        last_day = day_of(database, None)
        listed = list_changes(database, since.date() if since else last_day - timedelta(days=7), last_day, names, limit)
    rows = [
        {
            "day": change.day,
            "after": change.observed_before,
            "instance": change.instance_name,
            "account": change.account_name,
            "type": change.change_type,
            "what": change.sentence,
            "session": change.session_id,
        }
        for change in listed
    ]
    columns = ("day", "after", "instance", "account", "type", "what", *(("session",) if form.is_exact else ()))
    print_list(columns, rows, form=form, empty="No account changed on the observed days.")
    if listed and listed[0].change_count > len(listed):
        older = counted(listed[0].change_count - len(listed), "older change is", "older changes are")
        note(f"{older} not shown; --limit shows more.")


def _attributes(sheet: AccountSheet) -> dict[str, object]:
    account = sheet.account
    return {
        "instance": account.instance_name,
        "account": account.account_name,
        "kind": account.account_kind,
        "can_login": account.can_login,
        "superuser": account.is_superuser,
        "locked": account.is_locked,
        "password_expired": account.is_password_expired,
        "empty_password": account.has_empty_password,
        "password_changed": account.password_changed_at,
        "password_expires": account.password_expires_at,
        "authentication": account.authentication,
        **account.attributes,
        "first_seen": account.first_seen_date,
        "last_login": last_seen(account),
        "observed_on": account.observed_on,
    }


def _roles(sheet: AccountSheet) -> list[dict[str, object]]:
    return [
        {
            "role": role.account_name,
            "path": sheet.chains[role.account_id],
            "has_now": role.has_now,
            "superuser": role.is_superuser,
            "database": role.database_name,
            "since": role.since,
        }
        for role in {role.account_id: role for role in sorted(sheet.roles, key=lambda role: role.has_now)}.values()
    ]


def _privileges(sheet: AccountSheet) -> list[dict[str, object]]:
    return [
        {
            "privilege": {"deny": "DENIED ", "revoke": "WITHOUT "}.get(privilege.effect, "") + privilege.privilege,
            "on": privilege.target,
            "through": privilege.through or "itself",
            "has_now": privilege.has_now,
            "grantable": privilege.is_grantable,
            "origin": privilege.origin,
            "since": privilege.since,
        }
        for privilege in sheet.privileges
    ]


def _document(sheet: AccountSheet) -> dict[str, object]:
    gaps = [{"what": gap.what, "reason": gap.reason, "detail": gap.detail, "cure": gap.cure} for gap in sheet.gaps]
    return {**_attributes(sheet), "roles": _roles(sheet), "privileges": _privileges(sheet), "unknown": gaps}


for command in (sync, who_can, reach, drift, export):
    accounts.add_command(command)
