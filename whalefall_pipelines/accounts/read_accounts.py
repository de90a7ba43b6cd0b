"""What people ask of stored accounts: lists, one account, its reach, changes, drift. All of it is answered for any day."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from whalefall_pipelines.accounts.figures import Change, GapRow, describe_object
from whalefall_pipelines.accounts.store import accounts as store
from whalefall_pipelines.accounts.store import reports
from whalefall_pipelines.accounts.store.accounts import AccountFilter, AccountRow, Bounds
from whalefall_pipelines.domain.accounts import Effect
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class OwnPrivilege:
    """A privilege of an account, and through which role it has it: empty by itself. `has_now` is false if only SET ROLE gives it."""

    scope: str
    path: Mapping[str, Any]
    privilege: str
    is_grantable: bool
    origin: str
    effect: str
    traits: str
    through: str
    has_now: bool
    since: date

    @property
    def target(self) -> str:
        """The object, in words."""
        return describe_object(self.scope, self.path)


@dataclass(frozen=True, slots=True)
class AccountSheet:
    """Everything that is known of one account on a day. `through` of a role is the chain that leads to it, empty if direct."""

    account: AccountRow
    roles: tuple[store.ReachedRole, ...]
    chains: Mapping[int, str]
    privileges: tuple[OwnPrivilege, ...]
    gaps: tuple[GapRow, ...]


def accounts_of(
    database: Database,
    day: date,
    *,
    names: Sequence[str] = (),
    superusers_only: bool = False,
    with_built_in: bool = True,
    tag: str | None = None,
    part: str | None = None,
) -> AccountFilter:
    """The accounts of a day, of these instances or of those with a tag (`env=prod`), or with this `part` in their name.

    Raises:
        NotFoundError: an instance is not registered.
        InputError: the tag is not NAME=VALUE.
    """
    if names:
        registered_instances(database, names)
    with_tag = parse_tag(tag) if tag else None
    return AccountFilter(day, names, superusers_only=superusers_only, with_built_in=with_built_in, tag=with_tag, part=part)


def list_accounts(database: Database, wanted: AccountFilter) -> tuple[AccountRow, ...]:
    """These accounts, by instance and name."""
    return store.list_accounts(database, wanted)


def page_accounts(database: Database, wanted: AccountFilter, after_id: int | None, limits: Mapping[str, int]) -> tuple[AccountRow, ...]:
    """A page of these accounts in the order in which they were first seen, after the one with this id."""
    return store.page_accounts(database, wanted, after_id=after_id, limits=limits)


def count_accounts(database: Database, wanted: AccountFilter) -> int:
    """How many accounts these are."""
    return store.count_accounts(database, wanted)


def count_superusers(database: Database, day: date) -> tuple[int, int]:
    """How many accounts existed on a day, and how many of them were superusers."""
    return store.count_superusers(database, day)


def show_account(database: Database, instance_name: str, account_name: str, day: date) -> AccountSheet:
    """One account with its roles and privileges, its own and those through roles.

    Raises:
        NotFoundError: there was no such account on that day, as far as it was observed.
    """
    registered_instances(database, [instance_name])
    accounts = store.list_accounts(database, AccountFilter(day, [instance_name], [account_name]))
    if not accounts:
        raise NotFoundError(
            f"No account {account_name!r} is known on {instance_name!r} on {day}; `whalefall accounts list --instance {instance_name}` "
            "shows those that are."
        )
    account = accounts[0]
    roles = store.list_roles_of(database, [account.account_id], day)
    chains = _chains(account.account_id, roles)
    owned = _by_account(store.list_privileges_of(database, sorted(chains), day))
    others = tuple(role for role in roles if role.account_id != account.account_id)
    return AccountSheet(account, others, chains, tuple(_through(chains, roles, owned)), reports.list_gaps(database, day, [instance_name]))


def export_privileges(
    database: Database, day: date, *, names: Sequence[str] = (), tag: str | None = None
) -> Iterator[tuple[AccountRow, OwnPrivilege | None]]:
    """Every account that no server made itself, with each of its privileges; None for one that has none. Three statements per instance.

    Raises:
        NotFoundError: an instance is not registered.
        InputError: the tag is not NAME=VALUE.
    """
    if names:
        registered_instances(database, names)
    with_tag = parse_tag(tag) if tag else None
    for bounds in store.summarize_observations(database, day, names):
        listed = store.list_accounts(database, AccountFilter(day, [bounds.instance_name], tag=with_tag))
        accounts = [account for account in listed if not account.is_built_in and not account.is_everyone]
        owned = _by_account(store.list_privileges_of(database, [account.account_id for account in listed], day))
        steps = _by_root(store.list_roles_of(database, [account.account_id for account in accounts], day))
        for account in accounts:
            roles = steps[account.account_id]
            granted = [
                privilege for privilege in _through(_chains(account.account_id, roles), roles, owned) if privilege.effect == Effect.GRANT
            ]
            yield from ((account, privilege) for privilege in granted or [None])


def list_changes(database: Database, first_day: date, last_day: date, names: Sequence[str], most: int) -> tuple[Change, ...]:
    """The newest changes of these days."""
    if names:
        registered_instances(database, names)
    return reports.list_changes(database, first_day, last_day, names, most)


def find_drift(database: Database, tag: str, day: date) -> tuple[store.Drift, ...]:
    """Accounts of one name whose attributes, roles or privileges differ between the servers with a tag."""
    return store.find_drift(database, parse_tag(tag), day)


def not_observed(database: Database, day: date, names: Sequence[str]) -> tuple[Bounds, ...]:
    """The instances that were not observed on this day, with the observations around it."""
    return tuple(bounds for bounds in store.summarize_observations(database, day, names) if bounds.observed_before != day)


def parse_tag(tag: str) -> tuple[str, str]:
    """A tag as NAME=VALUE.

    Raises:
        InputError: it is something else.
    """
    name, mark, value = tag.partition("=")
    if not (name and mark):
        raise InputError(f"{tag!r} is not a tag: write NAME=VALUE, such as env=prod.")
    return name, value


def last_seen(account: AccountRow) -> datetime | str:
    """The last login if the server tells it; otherwise only since when it was watched."""
    return account.last_login_at or f"not known, watched since {account.first_seen_date}"


def _by_account(rows: Iterable[store.PrivilegeRow]) -> Mapping[int, Sequence[store.PrivilegeRow]]:
    owned: defaultdict[int, list[store.PrivilegeRow]] = defaultdict(list)
    for row in rows:
        owned[row.account_id].append(row)
    return owned


def _by_root(rows: Iterable[store.ReachedRole]) -> Mapping[int, Sequence[store.ReachedRole]]:
    steps: defaultdict[int, list[store.ReachedRole]] = defaultdict(list)
    for row in rows:
        steps[row.root_id].append(row)
    return steps


def _through(
    chains: Mapping[int, str], roles: Iterable[store.ReachedRole], owned: Mapping[int, Sequence[store.PrivilegeRow]]
) -> Iterator[OwnPrivilege]:
    """The privileges of an account and of the roles that its chains lead to."""
    has_now = {role.account_id for role in roles if role.has_now}
    for account_id, chain in chains.items():
        for row in owned.get(account_id, ()):
            path = {"database": row.database_name, "schema": row.schema_name, "object": row.object_name, "column": row.column_name}
            yield OwnPrivilege(
                row.scope,
                path,
                row.privilege,
                row.is_grantable,
                row.origin,
                row.effect,
                row.traits,
                chain,
                account_id in has_now,
                row.since,
            )


def _chains(account_id: int, roles: Sequence[store.ReachedRole]) -> dict[int, str]:
    """The shortest chain of roles to each reached account; empty for the account itself."""
    by_via: defaultdict[int | None, list[store.ReachedRole]] = defaultdict(list)
    for role in sorted(roles, key=lambda role: not role.has_now):
        by_via[role.via_id].append(role)
    chains = {account_id: ""}
    waiting = deque([account_id])
    while waiting:
        via = waiting.popleft()
        for role in by_via[via]:
            if role.account_id not in chains:
                arrow = "→" if role.is_active else "⇒"
                chains[role.account_id] = f"{chains[via]} {arrow} {role.account_name}".strip()
                waiting.append(role.account_id)
    return chains
