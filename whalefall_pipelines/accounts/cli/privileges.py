"""`whalefall accounts who-can | reach | drift | export`: questions about privileges over the whole fleet."""

from collections import defaultdict
from datetime import datetime

import click

from whalefall_pipelines.accounts.cli.options import (
    as_of_option,
    day_of,
    instance_option,
    note_gaps,
    note_observations,
    print_list,
    print_rows,
)
from whalefall_pipelines.accounts.read_accounts import (
    AccountRow,
    OwnPrivilege,
    export_privileges,
    find_drift,
    last_seen,
    not_observed,
    show_account,
)
from whalefall_pipelines.accounts.who_can import who_can as find_who_can
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import PARTIAL, Form, leave, list_options, note

# How a person reads whether an account has a privilege.
_NOW = {"yes": "yes", "depends": "depends", "no": "can become"}


@click.command("who-can")
@click.argument("privilege")
@click.argument("object_name", metavar="OBJECT")
@instance_option
@as_of_option
@list_options
def who_can(*, privilege: str, object_name: str, names: tuple[str, ...], as_of: datetime | None, form: Form) -> None:
    """Show who has a PRIVILEGE on an OBJECT, through which roles, and since when.

    PRIVILEGE is, for example, SELECT, DELETE, DROP or CONNECT. OBJECT is a table, as SCHEMA.TABLE or DATABASE.SCHEMA.TABLE (MySQL and
    MariaDB: DATABASE.TABLE), or a DATABASE. In a path, → leads to a role whose privileges the account has, and ⇒ to an account that it can
    become by SET ROLE, EXECUTE AS, as a proxy, or AS SYSDBA. The answer `depends` means that several rules may apply, and that only the
    server can tell which one does in a session.

    Exit codes: 0 the answer is complete, 1 something could not be read, so more accounts may have it.
    """
    with open_store(load_settings()) as database:
        day = day_of(database, as_of)
        answer = find_who_can(database, privilege, object_name, day, names)
        note_observations(not_observed(database, day, sorted({target.instance_name for target in answer.targets})), day)
    rows = [
        {
            "account": holder.account_name if not holder.is_everyone else f"{holder.account_name} (everybody)",
            "instance": holder.target.instance_name,
            "object": holder.target.name,
            "can": holder.has_now if form.is_exact else _NOW[holder.has_now],
            "can_login": holder.can_login,
            "path": holder.path,
            "since": holder.since,
        }
        for holder in answer.holders
    ]
    columns = ("account", "instance", "object", "can", "can_login", "path", "since")
    where = ", ".join(f"{target.name} of {target.instance_name}" for target in answer.targets[:5])
    print_list(columns, rows, form=form, empty=f"No account has {answer.privilege} on {where}, as far as privileges were read.")
    note_gaps(answer.unread)
    for target in answer.inapplicable:
        note(f"{target.instance_name} runs {target.engine}, on which {target.name} has no privilege {answer.privilege}.")
    if answer.unread:
        leave(PARTIAL)


@click.command()
@click.argument("instance", shell_complete=complete_instance)
@click.argument("account")
@as_of_option
@list_options
def reach(*, instance: str, account: str, as_of: datetime | None, form: Form) -> None:
    """Show what an ACCOUNT can reach: its own privileges and the privileges of all roles that it has or can become, counted by database."""
    with open_store(load_settings()) as database:
        day = day_of(database, as_of)
        sheet = show_account(database, instance, account, day)
        note_observations(not_observed(database, day, [instance]), day)
    counts: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for privilege in sheet.privileges:
        if privilege.effect == "grant":
            key = (privilege.path["database"], privilege.scope, privilege.privilege, privilege.has_now, privilege.through or "itself")
            counts[key] += 1
    columns: tuple[str, ...] = ("database", "scope", "privilege", "has_now", "through", "objects")
    rows: list[dict[str, object]] = [
        dict(zip(columns, (*key, count), strict=True)) for key, count in sorted(counts.items(), key=lambda item: str(item[0]))
    ]
    print_list(columns, rows, form=form, empty="It reaches nothing, as far as privileges were read.")
    become = sorted({role.account_name for role in sheet.roles if role.is_superuser and role.can_become})
    if sheet.account.is_superuser:
        note(f"{account!r} is a superuser: it reaches everything.")
    elif become:
        note(f"{account!r} can become a superuser ({', '.join(become)}): it reaches everything.")
    note_gaps(sheet.gaps)


@click.command()
@click.option("--tag", required=True, metavar="NAME=VALUE", help="Compare the servers with this tag.")
@as_of_option
@list_options
def drift(*, tag: str, as_of: datetime | None, form: Form) -> None:
    """Show accounts that differ between the servers with a tag."""
    with open_store(load_settings()) as database:
        day = day_of(database, as_of)
        drifts = find_drift(database, tag, day)
    rows = [
        {
            "account": difference.account_name,
            "engine": difference.engine,
            "difference": difference.difference,
            "on": list(difference.present_on) if form is Form.JSON else ", ".join(difference.present_on),
            "not_on": list(difference.missing_on) if form is Form.JSON else ", ".join(difference.missing_on),
        }
        for difference in drifts
    ]
    columns = ("account", "engine", "difference", "on", "not_on")
    print_list(columns, rows, form=form, empty=f"No account differs between the servers with {tag}.")


@click.command()
@instance_option
@click.option("--tag", metavar="NAME=VALUE", help="Only servers with this tag.")
@as_of_option
def export(*, names: tuple[str, ...], tag: str | None, as_of: datetime | None) -> None:
    """Print a CSV file for attestation: one row per account and privilege, with an empty column for the decision."""
    columns = ("instance", "account", "kind", "superuser", "privilege", "on", "through", "since", "last_seen", "owner", "decision")
    with open_store(load_settings()) as database:
        day = day_of(database, as_of)
        rows = (_exported(account, privilege) for account, privilege in export_privileges(database, day, names=names, tag=tag))
        print_rows(columns, rows)


def _exported(account: AccountRow, privilege: OwnPrivilege | None) -> dict[str, object]:
    row: dict[str, object] = {
        "instance": account.instance_name,
        "account": account.account_name,
        "kind": account.account_kind,
        "superuser": account.is_superuser,
        "last_seen": last_seen(account),
    }
    if privilege is None:
        return row
    return row | {
        "privilege": privilege.privilege,
        "on": privilege.target,
        "through": privilege.through or "itself",
        "since": privilege.since,
    }
