"""Who may do what with this installation, what was changed by whom, which logins it uses, and what it takes on disk."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from whalefall_pipelines.api import audit, tokens
from whalefall_pipelines.api.model import AuditedRequest, Token, TokenKind
from whalefall_pipelines.api_base.services import Services
from whalefall_pipelines.console.actions.tokens import CREATE, REVOKE
from whalefall_pipelines.console.blocks import Block, Forms, Note, Page, Table, Tone, Value, day, instant, number, size, text, yes_or_no
from whalefall_pipelines.console.urls import session_url
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.inventory.registration import describe_secret
from whalefall_pipelines.retention.expire_rows import Databases, read_footprint
from whalefall_pipelines.runtime.open_store import open_dagster_database
from whalefall_pipelines.store.database import Database

_REQUESTS = 500
_NEWEST = {"requested_at": None, "request_id": None}


def settings_page(services: Services) -> Page:
    """Tokens, the audit log, logins and the footprint. No secret is part of it."""
    now, timezone = services.clock(), services.reader.timezone
    every_token = tokens.list_tokens(services.writer, now)
    living = [token for token in every_token if _is_living(token, now)]
    requests = audit.list_requests(services.writer, _NEWEST, {"most": _REQUESTS, "skipped": 0})
    choices = [(str(token.token_id), f"{token.name} ({token.kind}, {token.scope})") for token in living]
    forms = [CREATE.form(), *([REVOKE.form(options=choices)] if choices else [])]
    people = len({token.name for token in living if token.kind is TokenKind.BROWSER})
    answer = f"Valid tokens and sign-ins: {len(living)}. People who are signed in: {people}."
    return Page(
        "Settings",
        answer,
        [
            Forms(forms),
            _tokens(every_token, now, timezone),
            _credentials(services.reader),
            *_footprint(services),
            _audit(requests, timezone),
        ],
    )


def _is_living(token: Token, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now) and token.kind is not TokenKind.LINK


def _tokens(every_token: Sequence[Token], now: datetime, timezone: ZoneInfo) -> Table:
    return Table(
        "tokens",
        "Tokens and sign-ins",
        ("Name", "Kind", "Scope", "Accounts", "Valid", "Made by", "Made", "Expires", "Last used"),
        [
            (
                text(token.name),
                text(token.kind),
                text(token.scope),
                yes_or_no(token.has_access),
                yes_or_no(_is_living(token, now)),
                text(token.created_by),
                instant(token.created_at, timezone),
                instant(token.expires_at, timezone),
                day(token.last_used_on),
            )
            for token in every_token
        ],
    )


def _credentials(database: Database) -> Table:
    registered = registered_instances(database)
    logins = {instance.login.name: instance.login for instance in registered}
    users = Counter(instance.login.name for instance in registered)
    rows = [
        (text(name), text(login.username), text(describe_secret(login.secret) or "no password"), number(users[name]))
        for name, login in sorted(logins.items())
    ]
    return Table(
        "credentials", "Logins to servers", ("Credential", "User name", "Password reference", "Servers"), rows, "No server has a login."
    )


def _footprint(services: Services) -> list[Block]:
    """What the installation takes on disk, and 30 days before."""
    try:
        with open_dagster_database(services.settings, services.writer) as dagster:
            footprint = read_footprint(Databases(services.writer, dagster), services.today())
    except WhalefallError as error:
        return [Note(Tone.WARNING, "The disk usage of this installation cannot be read.", str(error))]
    rows: list[Sequence[Value]] = [
        (text(kind.replace("_", " ")), size(total_bytes), size(footprint.earlier.get(kind)))
        for kind, total_bytes in footprint.sizes.items()
    ]
    before = f"On {footprint.earlier_on}" if footprint.earlier_on else "Before"
    return [Table("footprint", "Disk usage of this installation", ("Kind", "Now", before), rows)]


def _audit(requests: Sequence[AuditedRequest], timezone: ZoneInfo) -> Table:
    return Table(
        "audit",
        "Who changed what",
        ("When", "Who", "What", "Status", "Session"),
        [
            (
                instant(request.requested_at, timezone),
                text(request.caller),
                text(f"{request.method} {request.path}"),
                number(request.status or None),
                text(
                    str(request.session_id)[:8] if request.session_id else None,
                    session_url(request.session_id) if request.session_id else None,
                ),
            )
            for request in requests
        ],
        "Nothing has been changed yet.",
    )
