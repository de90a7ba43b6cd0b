"""Rows of MySQL's and MariaDB's tables of privileges as accounts and facts, without a server. `accounts.py` reads the rows."""

import json
import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from whalefall_pipelines.domain.accounts import Account, AccountAttributes, AccountKind, AccountPrivilege, Effect, Origin, Scope, Trait
from whalefall_pipelines.fleet.names import storable

Value = str | int | None
Row = tuple[Value, ...]
# By user and host; the case of a host does not count.
Names = Mapping[tuple[str, str], str]

_BUILT_IN = {("mysql.infoschema", "localhost"), ("mysql.session", "localhost"), ("mysql.sys", "localhost"), ("mariadb.sys", "localhost")}
_PUBLIC = ("PUBLIC", "")
# Plug-ins whose accounts have a password that can be empty; others ask somebody else.
_WITH_PASSWORD = {"", "mysql_native_password", "mysql_old_password", "caching_sha2_password", "sha256_password", "ed25519", "parsec"}
# Names of tables_priv and procs_priv that differ from those of GRANT.
_OTHER_NAMES = {"GRANT": "GRANT OPTION", "DELETE VERSIONING ROWS": "DELETE HISTORY"}
# What MariaDB's mysql.user has no column for, by its bit in mysql.global_priv (sql/privilege.h).
_PRIVILEGE_BITS = {
    30: "SET USER",
    31: "FEDERATED ADMIN",
    32: "CONNECTION ADMIN",
    33: "READ_ONLY ADMIN",
    34: "REPLICATION SLAVE ADMIN",
    35: "REPLICATION MASTER ADMIN",
    36: "BINLOG ADMIN",
    37: "BINLOG REPLAY",
    38: "SLAVE MONITOR",
    39: "SHOW CREATE ROUTINE",
}
_ROLE_NAME = re.compile(
    r"""\s*(`(?:[^`]|``)*`|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^@,]*)\s*(?:@\s*(`[^`]*`|'[^']*'|"[^"]*"|[^,]*))?\s*(?:,|$)"""
)


def account_name(user: Value, host: Value) -> str:
    """`user@host`; a role of MariaDB, which has no host, by its name alone unless that looks like an account."""
    return storable(str(user) if user and not host and "@" not in str(user) else f"{user}@{host}")


def key(user: Value, host: Value) -> tuple[str, str]:
    """What `Names` knows an account by."""
    return str(user), str(host).lower()


def mandatory_roles(text: str) -> set[tuple[str, str]]:
    """The roles of the variable mandatory_roles, which is a list as of GRANT; a role without a host is at `%`."""
    matches = (match for match in _ROLE_NAME.finditer(text) if match[1])
    return {key(_unquoted(match[1]), _unquoted(match[2] or "%")) for match in matches}


def _unquoted(name: str) -> str:
    name = name.strip()
    mark = name[:1]
    return name[1:-1].replace(mark * 2, mark) if mark in {"`", "'", '"'} else name


def account(row: Row, everyone: set[tuple[str, str]]) -> Account:
    """One row of `list_accounts_….sql`."""
    user, host, plugin, is_superuser, is_locked, is_expired, is_role, changed_at, lifetime_days, tls, limit = row
    changed = None if changed_at is None else datetime.fromtimestamp(int(changed_at), UTC)
    return Account(
        account_name(user, host),
        AccountKind.ROLE if is_role else AccountKind.USER if user else AccountKind.ANONYMOUS,
        is_built_in=key(user, host) in {*_BUILT_IN, _PUBLIC},
        is_everyone=key(user, host) in everyone or key(user, host) == _PUBLIC,
        attributes=AccountAttributes(
            can_login=not is_role,
            is_superuser=bool(is_superuser),
            is_locked=None if is_locked is None else bool(is_locked),
            is_password_expired=bool(is_expired),
            password_changed_at=changed,
            password_expires_at=_after(changed, lifetime_days),
            authentication=str(plugin or "") or None,
            others={"user": storable(str(user)), "host": str(host), "tls": tls or None, "connection_limit": limit}
            | {"password_lifetime_days": lifetime_days},
        ),
    )


def _after(changed: datetime | None, days: Value) -> datetime | None:
    return None if changed is None or days is None else changed + timedelta(days=int(days))


def with_details_of_mysql(listed: Account, row: Row) -> Account:
    """With what `list_account_details_mysql.sql` tells."""
    _, _, is_empty, has_second, _ = row
    attributes = listed.attributes
    others = {**attributes.others, "has_second_password": bool(has_second)}
    return replace(listed, attributes=replace(attributes, has_empty_password=_is_empty(attributes, is_empty), others=others))


def with_details_of_mariadb(listed: Account, row: Row) -> Account:
    """With what `list_account_details_mariadb.sql` tells; an expired password was changed at 0."""
    _, _, is_empty, is_locked, changed_at, lifetime_days, alternatives, _ = row
    attributes, changed = listed.attributes, None
    if changed_at is not None and int(changed_at):
        changed = datetime.fromtimestamp(int(changed_at), UTC)
    others = {**attributes.others, "password_lifetime_days": lifetime_days, "alternatives": alternatives}
    known = replace(
        attributes,
        is_locked=str(is_locked).lower() in {"1", "true"},
        has_empty_password=_is_empty(attributes, is_empty),
        password_changed_at=changed,
        password_expires_at=_after(changed, lifetime_days),
        others=others,
    )
    return replace(listed, attributes=known)


def _is_empty(attributes: AccountAttributes, is_empty: Value) -> bool:
    return bool(is_empty) and bool(attributes.can_login) and (attributes.authentication or "") in _WITH_PASSWORD


@cache
def _split(privileges: str) -> tuple[tuple[str, ...], bool]:
    """The names of a list of privileges, and whether GRANT OPTION is among them, which is for all of them."""
    names = tuple(_OTHER_NAMES.get(name, name) for name in privileges.upper().split(",") if name)
    return names, "GRANT OPTION" in names


@dataclass(frozen=True, slots=True)
class Place:
    """What a row of privileges is on; names as the server has them."""

    scope: Scope
    schema: Value = None
    object_name: Value = None
    column: Value = None
    traits: str = ""


def facts(
    name: str, place: Place, privileges: Value, *, grantor: Value = None, is_grantable: object = False
) -> Generator[AccountPrivilege]:
    """One fact for each privilege of a list that an account has on a place."""
    where = [None if part is None else storable(str(part)) for part in (place.schema, None, place.object_name, place.column)]
    listed, has_option = _split(str(privileges))
    by = storable(str(grantor)) if grantor else None
    end = (bool(is_grantable) or has_option, Origin.GRANT.value, Effect.GRANT.value, by, place.traits)
    for privilege in listed:
        yield AccountPrivilege(name, place.scope.value, where[0], where[1], where[2], where[3], privilege, *end)


def schema_place(pattern: Value, *, is_literal: bool) -> Place:
    """The schema of a row of mysql.db, or its LIKE pattern as it is with the trait that says so."""
    text = str(pattern)
    if is_literal:
        return Place(Scope.DATABASE, text)
    if re.search(r"(?<!\\)[%_]", text):
        return Place(Scope.DATABASE, text, traits=Trait.PATTERN.value)
    return Place(Scope.DATABASE, re.sub(r"\\(.)", r"\1", text))


def restrictions(name: str, text: Value) -> Generator[AccountPrivilege]:
    """What partial revokes of MySQL take from an account: an array of schemas with privileges, or nothing."""
    for restriction in json.loads(str(text)) if text else ():
        for privilege in restriction["Privileges"]:
            schema = storable(str(restriction["Database"]))
            end = (str(privilege), False, Origin.GRANT.value, Effect.REVOKE.value)
            yield AccountPrivilege(name, Scope.DATABASE.value, schema, None, None, None, *end)


def privileges_of_bits(bits: Value) -> str:
    """The names of the privileges in MariaDB's number that mysql.user has no columns for."""
    number = int(bits or 0)
    return ",".join(name for bit, name in _PRIVILEGE_BITS.items() if number >> bit & 1)


def names_of(accounts: Iterable[Account]) -> dict[tuple[str, str], str]:
    """The names of listed accounts, by what rows know them by."""
    return {key(*_user_and_host(listed)): listed.account_name for listed in accounts}


def _user_and_host(listed: Account) -> tuple[str, str]:
    others = listed.attributes.others
    return str(others["user"]), str(others["host"])
