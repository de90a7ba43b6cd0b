"""Births that are probably no new databases: they were renamed, moved to another server, or copied. These are guesses by size."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain

# What a database may have grown or shrunk by meanwhile: a hundredth, or this many bytes if they are no more than a tenth of it, because
# small databases are all alike. And how many days may lie between its two places.
_BYTES, _SHARE, _LARGEST_SHARE, _DAYS = 64 * 2**20, 100, 10, 3
# Copies are looked for of the largest births only.
MOST_COPIES = 50


class GuessKind(StrEnum):
    """What probably happened instead of a birth."""

    RENAMED = "renamed"
    """Another database of the server went at about that time."""
    MOVED = "moved"
    """A database of the same name went on another server at about that time."""
    COPIED = "copied"
    """It had the size of a database that lives on: on the same server, or of the same name. It stays a birth."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A database that is there on one of two days only, with its first size if it is a birth, else with its last one.

    `edge_bytes` is its size on the one of the two days on which it is there, None if it has none then.
    """

    instance_id: int
    instance_name: str
    database_name: str
    is_birth: bool
    stat_date: date
    total_bytes: int
    edge_bytes: int | None
    is_edge_estimated: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """A birth, and what it probably was before. A size is None on a day on which there is none; the source of a copy has none here."""

    kind: GuessKind
    instance_name: str
    database_name: str
    instance_before: str
    name_before: str
    first_bytes: int | None
    last_bytes: int | None
    is_first_estimated: bool = False
    is_last_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The living database of which a birth is probably a copy; `place` is that of the birth in the list that was asked for."""

    place: int
    instance_name: str
    database_name: str


def pair_comings(comings: Sequence[Coming]) -> list[tuple[GuessKind, Coming, Coming]]:
    """Deaths and births that are probably one database: on one server, or else of one name, each the other's nearest in size."""
    renamed = list(_best_pairs(comings, lambda coming: coming.instance_id, lambda days: 0 < days <= _DAYS))
    paired = set(chain.from_iterable(renamed))
    rest = [coming for coming in comings if coming not in paired]
    # On another server it may be there before it goes here.
    moved = _best_pairs(rest, lambda coming: coming.database_name, lambda days: abs(days) <= _DAYS)
    return [
        *((GuessKind.RENAMED, *pair) for pair in renamed),
        *((GuessKind.MOVED, death, birth) for death, birth in moved if death.instance_id != birth.instance_id),
    ]


def guess_of_pair(kind: GuessKind, death: Coming, birth: Coming) -> Guess:
    """The guess of a death and a birth."""
    names = birth.instance_name, birth.database_name, death.instance_name, death.database_name
    return Guess(kind, *names, death.edge_bytes, birth.edge_bytes, death.is_edge_estimated, birth.is_edge_estimated)


def possible_copies(comings: Sequence[Coming], pairs: Sequence[tuple[GuessKind, Coming, Coming]]) -> list[Coming]:
    """The largest births that are in no pair, and are large enough to be told from others by their size."""
    paired = {birth for _, _, birth in pairs}
    births = [coming for coming in comings if coming.is_birth and coming.total_bytes >= _BYTES and coming not in paired]
    return sorted(births, key=lambda birth: (-birth.total_bytes, birth.instance_id, birth.database_name))[:MOST_COPIES]


def guess_of_copy(birth: Coming, source: Source) -> Guess:
    """The guess of a birth and the living database of its size."""
    names = birth.instance_name, birth.database_name, source.instance_name, source.database_name
    return Guess(GuessKind.COPIED, *names, None, birth.edge_bytes, is_last_estimated=birth.is_edge_estimated)


def _best_pairs(
    comings: Sequence[Coming], key: Callable[[Coming], Hashable], is_near: Callable[[int], bool]
) -> Iterator[tuple[Coming, Coming]]:
    """The deaths and births with one key whose days and sizes are near, each the other's best match."""
    groups: defaultdict[Hashable, tuple[list[Coming], list[Coming]]] = defaultdict(lambda: ([], []))
    for coming in comings:
        groups[key(coming)][coming.is_birth].append(coming)
    for deaths, births in groups.values():
        pairs = sorted(
            ((death, birth) for death in deaths for birth in births if _may_be_one(death, birth, is_near)),
            key=lambda pair: (abs(pair[1].total_bytes - pair[0].total_bytes), pair[0].database_name, pair[1].database_name),
        )
        best_birth, best_death = dict[Coming, Coming](), dict[Coming, Coming]()
        for death, birth in pairs:
            best_birth.setdefault(death, birth)
            best_death.setdefault(birth, death)
        yield from ((death, birth) for death, birth in best_birth.items() if best_death[birth] == death)


def _may_be_one(death: Coming, birth: Coming, is_near: Callable[[int], bool]) -> bool:
    size, difference = death.total_bytes, abs(birth.total_bytes - death.total_bytes)
    return is_near((birth.stat_date - death.stat_date).days) and difference <= max(size // _SHARE, min(_BYTES, size // _LARGEST_SHARE))
