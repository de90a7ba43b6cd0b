"""Validates the text fields of an entry and turns them into an `InstanceEntry` or a `CredentialEntry`.

The same rules apply to `instances add` and to fleet files, whose formats are in `fleet_file.py`. All violations are reported, not only
the first one.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TypeVar

from whalefall_pipelines.domain.instances import Engine, find_engine
from whalefall_pipelines.domain.quantities import parse_size
from whalefall_pipelines.domain.zones import zone_of
from whalefall_pipelines.inventory.registration import CredentialEntry, InstanceEntry, Problem

CREDENTIAL_KEYS = ("name", "username", "secret")
INSTANCE_KEYS = (
    *("name", "engine", "host", "port", "database", "username", "secret", "credential_name", "credential"),
    *("sslmode", "sslrootcert", "tags", "capacity_limit", "replica", "zone"),
)
SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
_PASSWORD_KEYS = frozenset({"password", "passwd", "pass", "pwd"})
_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\0]+")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One entry as it was written: text by key, without the keys that have no value. `line` is None outside a file."""

    values: Mapping[str, str] = field(repr=False)
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    line: int | None = None


@dataclass(frozen=True, slots=True)
class FleetEntries:
    """The entries of a file or a command, and all problems with them."""

    credentials: tuple[CredentialEntry, ...] = ()
    instances: tuple[InstanceEntry, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_entries(credentials: Iterable[RawEntry], instances: Iterable[RawEntry]) -> FleetEntries:
    """Validate every entry. An instance with a user name has a login of its own."""
    problems: list[Problem] = []
    logins = [login for raw in credentials if (login := _Entry(raw, "credential", problems).credential())]
    entries: list[InstanceEntry] = []
    for raw in instances:
        reader = _Entry(raw, "instance", problems)
        entry = reader.instance()
        login = reader.own_login(entry)
        entries += [entry] if entry else []
        logins += [login] if login else []
    _refuse_twins(entries, problems)
    return FleetEntries(_merge_logins(logins, problems), tuple(entries), tuple(problems))


def key_complaint(key: str, known: Collection[str]) -> str | None:
    """What is wrong with a key, None if nothing is."""
    if key in known:
        return None
    if key.lower() in _PASSWORD_KEYS:
        return "contains a password in plain text, which is refused; write `secret: env:NAME` or `secret: file:/PATH`"
    # The key is never repeated: in `password:hunter2`, without a space, the password is part of the key.
    meant = get_close_matches(key.lower(), known, 1)
    return f"has an unknown key{f' (is it meant to be {meant[0]}?)' if meant else ''}; the keys are {', '.join(known)}"


def split_tag(text: str) -> tuple[str, str] | None:
    """Split a tag written as key=value. The value may contain equals signs; None if there is no key."""
    key, equals, value = text.partition("=")
    return (key, value) if key and equals else None


class _Entry:
    """Reads one entry. Problems are appended to `problems`, and unusable values are returned as None."""

    def __init__(self, raw: RawEntry, kind: str, problems: list[Problem]) -> None:
        self.raw = raw
        self.problems = problems
        self.what = f"{kind} {raw.values['name']!r}" if raw.values.get("name") else f"one {kind}"
        for key in (*raw.values, *(("tags",) if raw.tags else ())):
            if complaint := key_complaint(key, INSTANCE_KEYS if kind == "instance" else CREDENTIAL_KEYS):
                self.complain(complaint)

    def complain(self, complaint: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.raw.line or 0, f"{self.what} {complaint}."))

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A text that the store can hold, or None."""
        text = self.raw.values.get(key)
        if not text:
            if required or text is not None:
                self.complain(f"{'has an empty' if text is not None else 'has no'} {key}")
            return None
        return text if self._is_storable(key, text) else None

    def _is_storable(self, key: str, text: str) -> bool:
        try:
            text.encode()
        except UnicodeEncodeError:
            self.complain(f"has a {key} that is not UTF-8 text")
            return False
        if "\0" in text:
            self.complain(f"has a NUL character in its {key}")
            return False
        return True

    def parsed(self, key: str, parse: Callable[[str], _T | None], advice: str) -> _T | None:
        """A text that must be parsable. An invalid one is never repeated: in a CSV row shifted by a column it may be the password."""
        text = self.text(key)
        if text is None:
            return None
        value = parse(text)
        if value is None:
            self.complain(f"has a {key} that cannot be read; {advice}")
        return value

    def engine(self) -> Engine | None:
        """An engine with an adapter."""
        text = self.text("engine", required=True)
        if text is None:
            return None
        engine = find_engine(text)
        if engine is None:
            self.complain(f"has an unknown engine; write {' or '.join(Engine)}")
            return None
        return engine

    def secret(self) -> str | None:
        """A reference to a password. An invalid one is never repeated, because it may be the password."""
        text = self.text("secret")
        if text is not None and not _SECRET.fullmatch(text):
            self.complain("has a secret that is not a reference; write env:NAME, or file:/PATH with an absolute path")
            return None
        return text

    def credential(self) -> CredentialEntry | None:
        """The entry as a login."""
        name, username, secret = self.text("name", required=True), self.text("username", required=True), self.secret()
        return CredentialEntry(name, username, secret, self.raw.line) if name and username else None

    def credential_name(self, name: str | None) -> str | None:
        """The name of the instance's login: an existing one, or its own, which has the name of the instance by default."""
        existing, own, username = self.text("credential"), self.text("credential_name"), self.text("username")
        if existing and (own or username or "secret" in self.raw.values):
            self.complain("names an existing credential and also describes its own; write one of the two")
        elif self.raw.values.keys().isdisjoint(("credential", "username")):
            self.complain("has no login; write a username (and a secret), or the credential that it uses")
        return existing or own or name

    def own_login(self, entry: InstanceEntry | None) -> CredentialEntry | None:
        """The login that the instance describes itself."""
        username, secret = self.raw.values.get("username"), self.secret()
        return CredentialEntry(entry.credential_name, username, secret, self.raw.line) if entry and username else None

    def instance(self) -> InstanceEntry | None:
        """The entry as an instance."""
        found_before = len(self.problems)
        name = self.text("name", required=True)
        engine = self.engine()
        host = self.text("host", required=True)
        if host and re.search(r"[\s@]|://", host):
            self.complain("has a host that is more than a name or an address; write user, port and database under their own keys")
        port = self.parsed("port", _port, "a port is a number from 1 to 65535")
        credential_name = self.credential_name(name)
        entry = InstanceEntry(
            name=name or "",
            engine=engine or Engine.POSTGRESQL,
            host=host or "",
            port=port or (engine or Engine.POSTGRESQL).default_port,
            credential_name=credential_name or "",
            database=self.text("database"),
            sslmode=self.parsed("sslmode", lambda mode: mode if mode in SSL_MODES else None, f"write {', '.join(SSL_MODES)}"),
            sslrootcert=self.text("sslrootcert"),
            tags=self._tags(),
            capacity_limit_bytes=self.parsed(
                "capacity_limit", lambda size: parse_size(size) or None, "write a number and a unit, like 500GiB"
            ),
            is_replica=self.parsed("replica", lambda text: _TRUTHS.get(text.lower()), "write true or false") or False,
            zone=zone_of(self.text("zone")),
            line=self.raw.line,
        )
        return entry if len(self.problems) == found_before else None

    def _tags(self) -> Mapping[str, str]:
        for key, value in self.raw.tags.items():
            if not key:
                self.complain("has a tag without a key")
            self._is_storable("tag", key + value)
        return dict(self.raw.tags)


def _port(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= 65535 else None


def _refuse_twins(entries: Iterable[InstanceEntry], problems: list[Problem]) -> None:
    first: dict[str, InstanceEntry] = {}
    for entry in entries:
        twin = first.setdefault(entry.name, entry)
        if twin is not entry:
            problems.append(Problem(entry.line or 0, f"instance {entry.name!r} is already on line {twin.line}."))


def _merge_logins(logins: Iterable[CredentialEntry], problems: list[Problem]) -> tuple[CredentialEntry, ...]:
    """Merge logins by name. Two different logins with the same name are a problem."""
    merged: dict[str, CredentialEntry] = {}
    for login in logins:
        known = merged.setdefault(login.name, login)
        if known != login:
            sentence = f"credential {login.name!r} differs from the login on line {known.line}; rename one of them."
            problems.append(Problem(login.line or 0, sentence))
    return tuple(merged.values())


def with_secret(entries: FleetEntries, secret: str) -> FleetEntries:
    """The same entries, with this secret in every login."""
    return replace(entries, credentials=tuple(replace(login, secret=secret) for login in entries.credentials))
