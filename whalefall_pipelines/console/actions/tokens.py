"""Actions on tokens: make one, whose secret is shown once, and revoke one."""

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.console.actions.action import Action, Data, Values
from whalefall_pipelines.console.blocks import Field, Links, Note, Page, Tone, text

_BACK = Links([text("Settings", "/settings")])


def _made(data: Data, _: Values) -> Page:
    until = f"until {data['expires_at']}" if data["expires_at"] else "until it is revoked"
    access = " and access to accounts" if data["has_access"] else ""
    note = Note(Tone.WARNING, "Copy the token now; it is not stored and cannot be shown again.", command=data["secret"])
    return Page(f"Token {data['name']}", f"It has the scope {data['scope']}{access}, {until}.", [note, _BACK])


def _revoked(data: Data, _: Values) -> Page:
    return Page(f"Token {data['name']}", "The token is revoked, and browsers that signed in with it are signed out.", [_BACK])


CREATE = Action(
    "create-token",
    "Create a token",
    "/tokens",
    _made,
    Scope.ADMIN,
    fields=(
        Field("name", "Name", example="backup script", is_required=True),
        Field("scope", "Scope", kind="choice", options=tuple((scope, scope) for scope in Scope)),
        Field("lifetime_days", "Days until it expires", kind="number", example="never"),
        Field("has_access", "Allow reading accounts", kind="checkbox"),
    ),
)
REVOKE = Action(
    "revoke-token",
    "Revoke a token",
    "/tokens/{token_id}",
    _revoked,
    Scope.ADMIN,
    "DELETE",
    (Field("token_id", "Token", kind="choice"),),
)
ACTIONS = (CREATE, REVOKE)
