"""The registered fleet: requested entries, stored entries, and the plan that leads from one to the other.

`fleet_entries.py` validates entries; `fleet_file.py` parses files.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from whalefall_pipelines.domain.instances import Engine, Instance, ServerIdentity
from whalefall_pipelines.domain.quantities import format_size
from whalefall_pipelines.inventory.identities import Answers


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """One login. `secret` is a reference or a ciphertext; None leaves it unspecified. `line` is its line in the file."""

    name: str
    username: str
    secret: str | None = field(default=None, repr=False)
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class InstanceEntry:
    """One server to register, in the centre if `zone` is None. `is_replica`: it may look like another server. `line` is in the file."""

    name: str
    engine: Engine
    host: str
    port: int
    credential_name: str
    database: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    capacity_limit_bytes: int | None = None
    is_replica: bool = False
    zone: str | None = None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RegisteredInstance:
    """One server in the store. `deleted_at` is set if it was removed; its history is kept."""

    instance_id: int
    entry: InstanceEntry
    login: CredentialEntry
    is_active: bool
    deactivated_at: datetime | None
    deleted_at: datetime | None
    server_version: str | None
    last_connected_at: datetime | None
    created_at: datetime
    server_identity: ServerIdentity | None = None

    @property
    def instance(self) -> Instance:
        """The part of it that a probe needs."""
        instance = instance_of(self.entry, self.login, self.instance_id)
        return replace(instance, server_identity=self.server_identity, server_version=self.server_version)


def instance_of(entry: InstanceEntry, login: CredentialEntry, instance_id: int) -> Instance:
    """The part of an entry with this login that a probe needs."""
    return Instance(
        instance_id=instance_id,
        name=entry.name,
        engine=entry.engine,
        host=entry.host,
        port=entry.port,
        username=login.username,
        secret=login.secret,
        default_database=entry.database,
        sslmode=entry.sslmode,
        sslrootcert=entry.sslrootcert,
        zone=entry.zone,
    )


@dataclass(frozen=True, slots=True)
class KnownDatabase:
    """One database in the inventory of an instance; its size, day and provenance are None until it is measured."""

    database_name: str
    is_active: bool
    first_seen_date: date
    last_seen_date: date
    total_bytes: int | None
    stat_date: date | None
    provenance: str | None
    renamed_from: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """The reason why an entry cannot be registered, without secrets. Line 0 means that there is no file."""

    line: int
    sentence: str


class Action(StrEnum):
    """What the plan does with one entry."""

    ADD = "add"
    CHANGE = "change"
    RESTORE = "restore"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changes, as text for people; of a secret only its kind. None means not set."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class PlannedCredential:
    """One login in a plan. `other_users` are registered instances outside the plan that log in with it."""

    entry: CredentialEntry
    action: Action
    changes: tuple[Change, ...]
    other_users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedInstance:
    """One server in a plan. `is_moved`: according to the user, it was moved or rebuilt. `identity` is the server's identity.

    `kept` are the tags, the capacity limit and the zone of a removed server that come back with it, because its new entry has none.
    """

    entry: InstanceEntry
    action: Action
    changes: tuple[Change, ...]
    kept: tuple[str, ...] = ()
    is_moved: bool = False
    identity: ServerIdentity | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a registration. `untouched` counts the registered instances that are not part of it.

    A plan with `problems` is not applied. They result from the `answers` of the servers.
    """

    credentials: tuple[PlannedCredential, ...]
    instances: tuple[PlannedInstance, ...]
    untouched: int
    problems: tuple[Problem, ...] = ()
    answers: Answers = field(default_factory=Answers)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing has to be changed."""
        return all(planned.action is Action.UNCHANGED for planned in (*self.credentials, *self.instances))


def compare_fleet(
    credentials: Sequence[CredentialEntry],
    instances: Sequence[InstanceEntry],
    *,
    stored_credentials: Collection[CredentialEntry],
    stored_instances: Collection[RegisteredInstance],
) -> Plan:
    """Compare requested entries with stored ones, and plan the changes."""
    known_credentials = {credential.name: credential for credential in stored_credentials}
    known_instances = {registered.entry.name: registered for registered in stored_instances}
    named = {entry.name for entry in instances}
    others = [registered for registered in stored_instances if registered.deleted_at is None and registered.entry.name not in named]
    users: dict[str, list[str]] = {}
    for registered in others:
        users.setdefault(registered.login.name, []).append(registered.entry.name)
    return Plan(
        credentials=tuple(_plan_credential(entry, known_credentials.get(entry.name), users.get(entry.name, ())) for entry in credentials),
        instances=tuple(_plan_instance(entry, known_instances.get(entry.name)) for entry in instances),
        untouched=len(others),
    )


def _plan_credential(entry: CredentialEntry, known: CredentialEntry | None, users: Sequence[str]) -> PlannedCredential:
    if known is None:
        return PlannedCredential(entry, Action.ADD, (), tuple(users))
    if entry.secret is None and entry.username == known.username:  # an unspecified secret is kept for the same user name
        return PlannedCredential(known, Action.UNCHANGED, (), tuple(users))
    changes = [Change("username", known.username, entry.username)] if entry.username != known.username else []
    if entry.secret != known.secret:
        changes.append(Change("secret", describe_secret(known.secret), describe_secret(entry.secret)))
    return PlannedCredential(entry, Action.CHANGE if changes else Action.UNCHANGED, tuple(changes), tuple(users))


def _plan_instance(entry: InstanceEntry, known: RegisteredInstance | None) -> PlannedInstance:
    if known is None:
        return PlannedInstance(entry, Action.ADD, ())
    if known.deleted_at is not None:
        return _plan_restore(entry, known.entry)
    changes = _changes(known.entry, entry)
    return PlannedInstance(entry, Action.CHANGE if changes else Action.UNCHANGED, changes)


def _plan_restore(entry: InstanceEntry, known: InstanceEntry) -> PlannedInstance:
    """The return of a removed server, which brings the tags, the limit and the zone that its entry does not mention."""
    tags = entry.tags or known.tags
    limit = entry.capacity_limit_bytes or known.capacity_limit_bytes
    restored = replace(entry, tags=tags, capacity_limit_bytes=limit, zone=entry.zone or known.zone)
    kept = tuple(f"{change.field} {change.new}" for change in _changes(entry, restored))
    return PlannedInstance(restored, Action.RESTORE, _changes(known, restored), kept)


def _changes(before: InstanceEntry, after: InstanceEntry) -> tuple[Change, ...]:
    old, new = describe_entry(before), describe_entry(after)
    return tuple(Change(name, old[name], new[name]) for name in new if old[name] != new[name])


def describe_entry(entry: InstanceEntry) -> dict[str, str | None]:
    """Each field of an entry but its name, by its key in a fleet file, as text."""
    return {
        "engine": entry.engine,
        "host": entry.host,
        "port": str(entry.port),
        "credential": entry.credential_name,
        "database": entry.database,
        "sslmode": entry.sslmode,
        "sslrootcert": entry.sslrootcert,
        "tags": describe_tags(entry.tags),
        "capacity_limit": None if entry.capacity_limit_bytes is None else format_size(entry.capacity_limit_bytes),
        "replica": "yes" if entry.is_replica else None,
        "zone": entry.zone,
    }


def describe_tags(tags: Mapping[str, str]) -> str | None:
    """Tags in one line, in the order of their keys; None without any."""
    return ", ".join(f"{key}={tags[key]}" for key in sorted(tags)) or None


def describe_secret(secret: str | None) -> str | None:
    """Where a password is stored, never the password itself: env:NAME, file:PATH or encrypted; None for a login without one."""
    return "encrypted" if secret is not None and secret.startswith("encrypted:") else secret
