"""`whalefall tokens`: the tokens with which scripts call the API and people sign in."""

import getpass
from datetime import timedelta

import click

from whalefall_pipelines.api import tokens as verbs
from whalefall_pipelines.api.model import Token
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, json_option, list_options, note, print_json, print_table

_scope_option = click.option(
    "--scope", type=click.Choice([str(scope) for scope in Scope]), default="read", show_default=True, help="What the token allows."
)
_access_option = click.option("--access", "has_access", is_flag=True, help="Also allow reading accounts and their privileges.")


@click.group()
def tokens() -> None:
    """Create, list and revoke API tokens."""


@tokens.command()
@click.argument("name")
@_scope_option
@_access_option
@click.option("--days", type=click.IntRange(1, 3650), help="Number of days until the token expires; never by default.")
@json_option
def create(name: str, *, scope: str, has_access: bool, days: int | None, as_json: bool) -> None:
    """Create a token called NAME and print it once. It cannot be shown again."""
    now, person = system_clock(), getpass.getuser()
    with open_store(load_settings()) as database:
        lifetime = timedelta(days=days) if days else None
        made = verbs.create_token(database, name, Scope(scope), now=now, created_by=person, has_access=has_access, lifetime=lifetime)
    if as_json:
        print_json({"token_id": made.token_id, "name": made.name, "scope": made.scope, "expires_at": made.expires_at, "token": made.secret})
        return
    click.echo(made.secret)
    note(f"This is the only time that the token {made.name!r} ({made.scope}) is shown. Send it as `Authorization: Bearer TOKEN`.")


@tokens.command("list")
@list_options
def list_(*, form: Form) -> None:
    """List all tokens and signed-in browsers. Secrets are not stored and are never shown."""
    with open_store(load_settings()) as database:
        rows = [_row(token) for token in verbs.list_tokens(database, system_clock())]
    columns = ("token_id", "kind", "name", "scope", "access", "created_by", "created_at", "expires_at", "last_used_on", "revoked_at")
    print_table(
        columns, rows, form=form, empty="There are no tokens. `whalefall tokens create NAME` creates one.", droppable=("created_by",)
    )


@tokens.command()
@click.argument("token_id", type=click.IntRange(min=1))
def revoke(token_id: int) -> None:
    """Revoke the token with this id, and sign out the browsers that signed in with it."""
    now = system_clock()
    with open_store(load_settings()) as database:
        ended = verbs.revoke_token(database, token_id, now)
    note(f"The token {ended.name!r} is revoked; it stops working within seconds.")


@tokens.command()
@_scope_option
@_access_option
@click.option("--url", default="http://127.0.0.1:3000", show_default=True, help="Address of the web process.")
def link(*, scope: str, has_access: bool, url: str) -> None:
    """Print a link that signs a browser in once, within ten minutes."""
    now, person = system_clock(), getpass.getuser()
    with open_store(load_settings()) as database:
        secret = verbs.create_link(database, scope=Scope(scope), has_access=has_access, created_by=person, now=now)
    click.echo(f"{url.rstrip('/')}/sign-in?link={secret}")


def _row(token: Token) -> dict[str, object]:
    return {
        "token_id": token.token_id,
        "kind": token.kind,
        "name": token.name,
        "scope": token.scope,
        "access": token.has_access,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_on": token.last_used_on,
        "revoked_at": token.revoked_at,
    }
