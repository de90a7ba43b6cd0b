"""One reading of the accounts of a server, its digest, and which stored account each listed one is. No I/O."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines.domain.accounts import Account, AccountListing, AccountPrivileges, Scope, UnreadScope
from whalefall_pipelines.domain.instances import NameFilter
from whalefall_pipelines.inventory.listing import InventoryEntry, compare_inventory


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What one probe read: phase one, the listing, and phase two, the privileges."""

    listing: AccountListing
    privileges: AccountPrivileges
    read_at: datetime
    server_version: str | None = None

    @property
    def unread(self) -> tuple[UnreadScope, ...]:
        """What neither phase could read."""
        return (*self.listing.unread, *self.privileges.unread)


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account in the store. `absent_since_date` is set while the guard keeps an account that was not listed."""

    account_id: int
    account_name: str
    is_active: bool
    absent_since_date: date | None
    native_id: str | None
    database_name: str | None


@dataclass(frozen=True, slots=True)
class AccountsChange:
    """What a listing changes among the known accounts. `accounts` are the listed ones with their ids, None for new ones.

    The ids in `ended` are of accounts that are gone, in `held` of those that the guard keeps, in `renamed` of those with a new name.
    """

    accounts: tuple[tuple[int | None, Account], ...]
    created: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]
    ended: tuple[int, ...]
    held: tuple[int, ...]
    renamed: tuple[int, ...]


def mark_built_in(listing: AccountListing, own: NameFilter) -> AccountListing:
    """The listing in which accounts of these names are the server's own, too."""
    accounts = [replace(account, is_built_in=account.is_built_in or own.matches(account.account_name)) for account in listing.accounts]
    return replace(listing, accounts=accounts)


def compare_accounts(known: Iterable[KnownAccount], snapshot: AccountSnapshot, day: date) -> AccountsChange:
    """Compare a listing with the known accounts, by the rules and the guard of the inventory of databases.

    Accounts inside a database that could not be read are not missing: they are left as they are.
    """
    unread = {gap.database_name for gap in snapshot.unread if gap.attribute is None and gap.scope in {None, Scope.ACCOUNT}}
    by_name = {account.account_name: account for account in known if account.database_name is None or account.database_name not in unread}
    listed = {account.account_name: account for account in snapshot.listing.accounts}
    entries = [
        InventoryEntry(account.account_name, account.is_active, account.absent_since_date, account.native_id)
        for account in by_name.values()
    ]
    change = compare_inventory(entries, {name: account.native_id for name, account in listed.items()}, day)
    same = {name: name for name in (*change.refreshed, *change.reactivated)} | dict(change.renamed)
    replaced = (new for new in change.renamed if new in by_name and new not in change.renamed.values())
    gone = tuple(name for name in (*change.deactivated, *change.recreated, *replaced) if by_name[name].is_active)
    return AccountsChange(
        accounts=tuple((by_name[same[name]].account_id if name in same else None, account) for name, account in listed.items()),
        created=(*change.created, *change.recreated),
        gone=gone,
        kept=change.held,
        ended=tuple(by_name[name].account_id for name in gone),
        held=tuple(by_name[name].account_id for name in change.held),
        renamed=tuple(by_name[old].account_id for old in change.renamed.values()),
    )


def digest_of(snapshot: AccountSnapshot) -> UUID:
    """A digest of everything that is stored of a snapshot: two readings with the same digest need not be compared."""
    digest = hashlib.blake2b(digest_size=16)
    parts: Sequence[Iterable[str]] = (
        map(repr, snapshot.listing.accounts),
        map(_values, snapshot.privileges.memberships),
        map(_values, snapshot.privileges.privileges),
        map(_values, snapshot.privileges.reaches),
        map(repr, snapshot.unread),
        [snapshot.listing.method],
    )
    for part in parts:
        for line in sorted(part):
            digest.update(line.encode("utf-8", "surrogatepass"))
            digest.update(b"\n")
        digest.update(b"\0")
    return UUID(bytes=digest.digest())


def _values(row: tuple[object, ...]) -> str:
    """The values of a named tuple, without the names of its fields, which cost more than they."""
    return repr((*row,))
