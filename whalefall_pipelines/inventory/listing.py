"""Compares a listing with the inventory of a server, and decides whether the listing is plausible."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One database in the store. `absent_since_date` is set while the guard keeps a database that was not listed.

    `native_id` is the server's own identifier of the database; None if the engine has none.
    """

    database_name: str
    is_active: bool
    absent_since_date: date | None = None
    native_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDatabase:
    """A database that exists today, and its name in the store: usually the same, None for a new database."""

    database_name: str
    native_id: str | None
    predecessor: str | None


@dataclass(frozen=True, slots=True)
class InventoryChange:
    """The changes that one listing makes to an inventory. Every name is in exactly one of the tuples.

    `renamed` maps new names to old names, `left_names` are old names that are no longer listed. `recreated` databases have the name of a
    database that was dropped.
    """

    created: tuple[str, ...] = ()
    refreshed: tuple[str, ...] = ()
    reactivated: tuple[str, ...] = ()
    recreated: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    left_names: tuple[str, ...] = ()
    deactivated: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    native_ids: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    @property
    def listed(self) -> tuple[ListedDatabase, ...]:
        """The databases that exist today."""
        return (*self.begun, *(ListedDatabase(name, self.native_ids[name], name) for name in self.refreshed))

    @property
    def begun(self) -> tuple[ListedDatabase, ...]:
        """The databases that were added, came back, or were renamed."""
        return (
            *(ListedDatabase(name, self.native_ids[name], None) for name in self.created + self.recreated),
            *(ListedDatabase(name, self.native_ids[name], name) for name in self.reactivated),
            *(ListedDatabase(new, self.native_ids[new], old) for new, old in self.renamed.items()),
        )


def compare_inventory(
    known: Iterable[InventoryEntry],
    listed: Mapping[str, str | None],
    day: date,
    hidden: Iterable[str] = (),
    *,
    is_partial: bool = False,
) -> InventoryChange:
    """Compare a listing with the inventory. `listed` are the databases that passed the filter, `hidden` those that it excluded.

    The server's own identifier decides which database it is: a known identifier under a new name is a rename, a new identifier under a
    known name is a new database. Without identifiers the name decides. A hidden database leaves the inventory at once, because a person
    excluded it. If the listing `is_partial`, because the login may not see every database, the missing databases are unseen and not
    dropped.
    """
    by_name = {entry.database_name: entry for entry in known}
    active = {name for name, entry in by_name.items() if entry.is_active}
    present = sorted(listed)
    renamed = _renames(by_name, listed)
    recreated = [name for name in present if name not in renamed and _is_another(by_name.get(name), listed[name])]
    continued = [name for name in present if name in by_name and name not in renamed and name not in recreated]
    left_names = sorted(set(renamed.values()).difference(listed))
    left_out = active.intersection(hidden).difference(left_names)
    expected = active - left_out
    gone = sorted(expected.difference(present, left_names))
    unseen = gone if is_partial else []
    held = [name for name in _doubtful(by_name, expected, present, gone, day) if name not in unseen]
    return InventoryChange(
        created=tuple(name for name in present if name not in by_name and name not in renamed),
        refreshed=tuple(name for name in continued if name in active),
        reactivated=tuple(name for name in continued if name not in active),
        recreated=tuple(recreated),
        renamed=renamed,
        left_names=tuple(left_names),
        deactivated=tuple(sorted(left_out.union(gone).difference(held, unseen))),
        held=tuple(held),
        unseen=tuple(unseen),
        native_ids=listed,
    )


def _doubtful(
    by_name: Mapping[str, InventoryEntry], expected: Collection[str], present: Sequence[str], gone: Sequence[str], day: date
) -> list[str]:
    """The missing databases that are held and not dropped yet.

    A listing that is empty, or in which more than half of at least four active databases are missing, is not trusted: only a second such
    listing on a later day deactivates them (domain.md section 3).
    """
    if present and (len(expected) < 4 or len(gone) * 2 <= len(expected)):
        return []
    since = {name: by_name[name].absent_since_date for name in gone}
    return [name for name, first in since.items() if first is None or first >= day]


def _is_another(entry: InventoryEntry | None, native_id: str | None) -> bool:
    return entry is not None and None not in {entry.native_id, native_id} and entry.native_id != native_id


def _renames(by_name: Mapping[str, InventoryEntry], listed: Mapping[str, str | None]) -> dict[str, str]:
    """New names mapped to old names: the server's identifier is known under another name."""
    active_last = sorted(by_name.values(), key=lambda entry: entry.is_active)
    name_before = {entry.native_id: entry.database_name for entry in active_last if entry.native_id is not None}
    renames: dict[str, str] = {}
    for name, native_id in sorted(listed.items()):
        if native_id is not None and name_before.get(native_id, name) != name:
            renames[name] = name_before[native_id]
    return renames
