"""Fleets as they might be, day by day, and what makes them larger or smaller: written from the definitions, not from the statement."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

DAYS, HOLD = 40, 14
METHODS = ("pg_database_size", "backup_file_size")
INVENTED = {"linear", "simulated"}
MIRRORED = {
    "birth": "death",
    "joined": "left",
    "gap_opened": "gap_closed",
    "growth": "shrink",
    "measure_changed": "measure_changed",
    "first_known": "no_longer_known",
}
MIRRORED |= {name: other for other, name in MIRRORED.items()}


@dataclass(frozen=True)
class State:
    """A database on a day on which it is expected, or has a size all the same; `size` None is missing."""

    size: int | None
    is_estimated: bool = False
    method: str = METHODS[0]


@dataclass
class Database:
    """The days of a database; a day without a state is one on which it is absent. `names` are (first day, name), oldest first."""

    instance: int
    names: list[tuple[int, str]]
    days: dict[int, State] = field(default_factory=dict)

    def held(self, day: int) -> State | None:
        """Its state with its last known size of at most 14 days before."""
        if day not in self.days:
            return None
        for earlier in range(day, day - HOLD - 1, -1):
            state = self.days.get(earlier)
            if state and state.size is not None:
                return state
        return State(None)


@dataclass
class Fleet:
    """`active` are the days of each instance on which it is in the fleet."""

    active: dict[int, set[int]]
    databases: list[Database]

    def total(self, day: int) -> int:
        return sum(database.days[day].size or 0 for database in self.databases if day in database.days)

    def held_total(self, day: int) -> int:
        return sum(held.size or 0 for database in self.databases if (held := database.held(day)))

    def is_in(self, instance: int, day: int) -> bool:
        sized = any(
            day in database.days and database.days[day].size is not None for database in self.databases if database.instance == instance
        )
        return day in self.active[instance] or sized


def bar_of(
    fleet: Fleet, database: Database, days: tuple[int, int], states: tuple[State | None, State | None], gone: tuple[str, str]
) -> str | None:
    """The bar of a database with these states on two days; `gone` are the bars of one that has a size on one of them only."""
    (a, b), (before, after) = days, states
    had, has = before is not None and before.size is not None, after is not None and after.size is not None
    if had and has:
        assert before
        assert after
        if before.method != after.method and not {before.method, after.method} & INVENTED:
            return "measure_changed"
        if after.size == before.size:
            return None
        return "growth" if (after.size or 0) > (before.size or 0) else "shrink"
    if has:
        return gone[0] if before else "birth" if fleet.is_in(database.instance, a) else "joined"
    return gone[1] if after else "death" if fleet.is_in(database.instance, b) else "left"


def attribute(fleet: Fleet, a: int, b: int, *, is_held: bool = False) -> Counter[tuple[int, str]]:
    """The change in each bar of each instance, between two days of any order."""
    bars: Counter[tuple[int, str]] = Counter()
    for database in fleet.databases:
        states = (database.held(a), database.held(b)) if is_held else (database.days.get(a), database.days.get(b))
        sizes = [state.size if state else None for state in states]
        if sizes == [None, None]:
            continue
        gone = ("first_known", "no_longer_known") if is_held else ("gap_closed", "gap_opened")
        if bar := bar_of(fleet, database, (a, b), states, gone):
            bars[database.instance, bar] += (sizes[1] or 0) - (sizes[0] or 0)
    return bars


def random_fleet(chance: random.Random) -> Fleet:
    """Instances that come, pause and go, with databases that do, have holes, are estimated, renamed, and measured in another way."""
    active = {instance: set(_span(chance)) for instance in range(chance.randint(1, 4))}
    databases = [_database(chance, instance, number, active[instance]) for instance in active for number in range(chance.randint(0, 6))]
    return Fleet(active, databases)


def _span(chance: random.Random) -> Iterator[int]:
    first = chance.choice([0, 0, 0, chance.randrange(DAYS)])
    last = chance.choice([DAYS, DAYS, DAYS, chance.randint(first, DAYS)])
    pause = range(first + 5, first + 5 + chance.choice([0, 0, 0, 8]))
    return (day for day in range(first, last) if day not in pause)


def _database(chance: random.Random, instance: int, number: int, active: set[int]) -> Database:
    first, size = chance.choice([0, 0, chance.randrange(DAYS)]), chance.choice([8192, 10**6, 10**10, 2**45])
    last = chance.choice([DAYS, DAYS, chance.randint(first + 1, DAYS)])
    names = [(first, f"d{number}")]
    if first + 1 < last and chance.random() < 0.2:
        names.append((chance.randint(first + 1, last - 1), f"renamed{number}"))
    database, change_of_method = Database(instance, names), chance.choice([DAYS, DAYS, chance.randrange(DAYS)])
    holes = set(range(start := chance.randrange(DAYS), start + chance.choice([0, 2, 20])))
    for day in range(first, last):
        size = max(0, size + chance.choice([0, 0, 1, -1, 8192, chance.randint(-size // 50, size // 20)]))
        estimated = chance.random() < 0.1
        method = "linear" if estimated else METHODS[day >= change_of_method]
        if day in active:
            is_missing = day in holes or chance.random() < 0.08
            database.days[day] = State(None) if is_missing else State(size, estimated, method)
    return database


def with_a_hole(fleet: Fleet, number: int, day: int) -> Fleet:
    """The same fleet, but that one database has no size on a day."""
    database = fleet.databases[number]
    holed = replace(database, days={**database.days, day: State(None)})
    return Fleet(fleet.active, [holed if place == number else other for place, other in enumerate(fleet.databases)])
