"""The waterfall against a model: exact to the byte at every level, and the identities I1 to I7 of growth attribution."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.growth.attribute import Grouping, attribute, parse_within
from whalefall_pipelines.growth.guesses import MOST_COPIES, Coming, Guess, GuessKind, pair_comings, possible_copies
from whalefall_pipelines.growth.model import Bar, BarSum, with_guesses
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.growth import model
from whalefall_pipelines_tests.growth.model import DAYS, MIRRORED, Fleet, random_fleet, with_a_hole

FIRST = date(2026, 10, 5)
NAMES = ("i0", "i1", "i2", "i3")
TAGS = ("red", "red", "blue", None)
INSERT = (
    "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
    "select * from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[]) returning 1"
)
TOTALS = (
    "insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
    "select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured' from database_size_stats "
    "group by 1, 2 returning 1"
)
THOROUGH = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a test


def day_of(number: int) -> date:
    return FIRST + timedelta(days=number)


def intervals(days: Iterable[int]) -> list[tuple[int, int]]:
    """These days as intervals, the second number of each exclusive."""
    spans: list[tuple[int, int]] = []
    for day in sorted(days):
        if spans and spans[-1][1] == day:
            spans[-1] = spans[-1][0], day + 1
        else:
            spans.append((day, day + 1))
    return spans


def store_fleet(store: Database, fleet: Fleet, *, seed: int = 0) -> list[int]:
    """Write a fleet as its collections would have; the rows of a table are in an order of chance."""
    if not query(store, "select 1 from instances"):
        register(store, *NAMES)
        ensure_months(store, [day_of(0), day_of(DAYS)])
        for name, tag in zip(NAMES, TAGS, strict=True):
            query(
                store,
                "update instances set tags = jsonb_strip_nulls(jsonb_build_object('color', %s::text)) where name = %s returning 1",
                tag,
                name,
            )
    ids = [int(str(row[0])) for row in query(store, "select instance_id from instances order by name")]
    query(store, "truncate database_size_stats, instance_size_stats, database_activity, instance_activity; select 1")
    for instance, days in fleet.active.items():
        for first, end in intervals(days):
            until = day_of(end) if end < DAYS else None
            query(store, "insert into instance_activity values (%s, %s, %s) returning 1", ids[instance], day_of(first), until)
    rows: list[tuple[object, ...]] = []
    for number, database in enumerate(fleet.databases):
        last = max([*database.days, database.names[-1][0]]) + 1
        ends = [*(start for start, _ in database.names[1:]), last]
        for (start, name), end in zip(database.names, ends, strict=True):
            until = day_of(end) if end < DAYS else None
            columns = "instance_id, database_name, active_from, active_until, database_id"
            statement = f"insert into database_activity ({columns}) values (%s, %s, %s, %s, %s) returning 1"
            query(store, statement, ids[database.instance], name, day_of(start), until, number + 1)
        for day, state in database.days.items():
            if state.size is not None:
                name = [name for start, name in database.names if start <= day][-1]
                provenance = "estimated" if state.is_estimated else "measured"
                rows.append((ids[database.instance], name, day_of(day), state.size, "2026-01-01", provenance, state.method))
    chance_of(seed).shuffle(rows)
    if rows:
        query(store, INSERT, *(list(column) for column in zip(*rows, strict=True)))
        query(store, TOTALS)
    return ids


def sums(bars: Iterable[BarSum], *, is_held: bool = False) -> Counter[str]:
    counted: Counter[str] = Counter()
    for bar in bars:
        if bar.is_held == is_held:
            counted[bar.bar] += bar.change_bytes
    return counted


def by_bar(expected: Counter[tuple[int, str]]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (_, bar), change in expected.items():
        counted[bar] += change
    return counted


def two_days(chance: random.Random) -> tuple[int, int]:
    a, b = sorted(chance.sample(range(DAYS), 2))
    return a, b


@THOROUGH
@given(seed=st.integers(0, 2**32))
def test_the_bars_are_those_of_the_model_and_add_up_at_every_level(store: Database, seed: int) -> None:
    """I1, I2 and I4: for the fleet, each instance, each value of a tag, and each database."""
    chance = chance_of(seed)
    fleet = random_fleet(chance)
    a, b = two_days(chance)
    store_fleet(store, fleet)
    by_instance = attribute(store, day_of(a), day_of(b), Grouping("instance"), most=1)
    expected, held = model.attribute(fleet, a, b), model.attribute(fleet, a, b, is_held=True)
    assert sums(by_instance.exact) == by_bar(expected)
    assert sums(by_instance.held, is_held=True) == by_bar(held)
    assert (by_instance.first_bytes, by_instance.last_bytes) == (fleet.total(a), fleet.total(b))
    assert sums(by_instance.exact).total() == fleet.total(b) - fleet.total(a)
    assert sums(by_instance.held, is_held=True).total() == fleet.held_total(b) - fleet.held_total(a)
    for number, name in enumerate(NAMES):
        found = sums(bar for bar in by_instance.groups if bar.group_name == name)
        assert found == by_bar(Counter({key: change for key, change in expected.items() if key[0] == number}))
    by_tag = attribute(store, day_of(a), day_of(b), Grouping("tag", "color"), most=1)
    assert by_tag.bars == by_instance.bars
    red = sums(bar for bar in by_tag.groups if bar.group_name == "red")
    assert red == by_bar(Counter({key: change for key, change in expected.items() if TAGS[key[0]] == "red"}))
    for within, wanted in (("tag:color=red", "red"), ("tag:color", None)):
        part = attribute(store, day_of(a), day_of(b), Grouping("database"), most=1000, within=parse_within(within))
        numbers = [number for number, tag in enumerate(TAGS) if tag == wanted]
        assert sums(part.exact) == by_bar(Counter({key: change for key, change in expected.items() if key[0] in numbers}))
        assert sum(row.change_bytes for row in part.databases) == part.last_bytes - part.first_bytes
    by_database = attribute(store, day_of(a), day_of(b), Grouping("database"), most=1000)
    assert sum(database.change_bytes for database in by_database.databases) == by_database.change_bytes
    assert by_database.other_bytes == 0
    signs = {Bar.GROWTH: 1, Bar.BIRTH: 1, Bar.JOINED: 1, Bar.GAP_CLOSED: 1, Bar.SHRINK: -1, Bar.DEATH: -1, Bar.LEFT: -1, Bar.GAP_OPENED: -1}
    assert all(bar.change_bytes * signs.get(bar.bar, 0) >= 0 for bar in by_instance.exact)
    estimated = sum(database.change_bytes for database in by_database.databases if database.is_estimated)
    assert sum(bar.estimated_bytes for bar in by_database.exact) == estimated


@THOROUGH
@given(seed=st.integers(0, 2**32))
def test_a_hole_moves_only_the_bar_of_its_own_database(store: Database, seed: int) -> None:
    """I3: shrink and death never become larger by it, and no other database has another bar."""
    chance = chance_of(seed)
    fleet = random_fleet(chance)
    a, b = two_days(chance)
    sized = [number for number, database in enumerate(fleet.databases) if (state := database.days.get(b)) and state.size is not None]
    if not sized:
        return
    number = chance.choice(sized)
    rows = []
    for version in (fleet, with_a_hole(fleet, number, b)):
        store_fleet(store, version)
        rows.append(attribute(store, day_of(a), day_of(b), Grouping("database"), most=1000))
    before, after = rows
    others = [{row.database_id: (row.bar, row.change_bytes) for row in each.databases if row.database_id != number + 1} for each in rows]
    # A server of which nothing else is known any more is still in the fleet: it is active.
    assert others[0] == others[1]
    for bar in ("shrink", "death"):
        assert sums(after.exact)[bar] >= sums(before.exact)[bar]
    assert sums(after.held, is_held=True)["death"] >= sums(before.held, is_held=True)["death"]


@THOROUGH
@given(seed=st.integers(0, 2**32))
def test_the_other_way_round_it_is_mirrored_and_days_chain(store: Database, seed: int) -> None:
    """I5, and I6 in total."""
    chance = chance_of(seed)
    fleet = random_fleet(chance)
    a, b = two_days(chance)
    store_fleet(store, fleet)
    forth, back = (attribute(store, day_of(x), day_of(y), Grouping("database"), most=1) for x, y in ((a, b), (b, a)))
    for is_held in (False, True):
        mirrored = Counter({MIRRORED[bar]: -change for bar, change in sums(back.bars, is_held=is_held).items()})
        assert +mirrored == +sums(forth.bars, is_held=is_held)
        assert -mirrored == -sums(forth.bars, is_held=is_held)
    middle = day_of(chance.randint(a, b))
    parts = [attribute(store, *days, Grouping("database"), most=1) for days in ((day_of(a), middle), (middle, day_of(b)))]
    for is_held in (False, True):
        assert sum(sums(part.bars, is_held=is_held).total() for part in parts) == sums(forth.bars, is_held=is_held).total()


def test_the_order_of_rows_does_not_matter(store: Database) -> None:
    """I7."""
    chance = chance_of(7)
    fleet = random_fleet(chance)
    answers = []
    for seed in range(2):
        store_fleet(store, fleet, seed=seed)
        answers.append(attribute(store, day_of(3), day_of(30), Grouping("instance"), most=10))
    assert answers[0].bars == answers[1].bars
    assert sorted(answers[0].groups, key=str) == sorted(answers[1].groups, key=str)


def test_steps_and_trend_are_apart_and_add_up(store: Database) -> None:
    """Confirmed steps within the span count, of databases that grew or shrank."""
    fleet = random_fleet(chance_of(3))
    ids = store_fleet(store, fleet)
    a, b = 5, 35
    expected = Counter[str]()
    held = model.attribute(fleet, a, b)
    assert held
    for number, database in enumerate(fleet.databases):
        states = database.days.get(a), database.days.get(b)
        bar = None
        if states[0] and states[1] and states[0].size is not None and states[1].size is not None:
            bar = model.bar_of(fleet, database, (a, b), states, ("", ""))
        for first, kind in ((4, "step"), (a, "step"), (20, "step"), (21, "outlier"), (b - 1, "step"), (b, "step")):
            change = 1000 + 100 * number + first
            row = (ids[database.instance], number + 1, kind, day_of(first), day_of(first + 1), day_of(first + 3), change)
            query(store, "insert into capacity_changes values (%s, %s, %s, %s, %s, %s, %s) returning 1", *row)
            if kind == "step" and a <= first < b and bar in {"growth", "shrink"}:
                expected[bar] += change
    answer = attribute(store, day_of(a), day_of(b), Grouping("instance"), most=1)
    assert Counter({bar.bar: bar.step_bytes for bar in answer.exact if bar.step_bytes}) == expected
    assert all(bar.step_bytes + bar.trend_bytes == bar.change_bytes for bar in answer.bars)
    listed = attribute(store, day_of(a), day_of(b), Grouping("database"), most=1000).databases
    assert sum(database.step_bytes for database in listed) == expected.total()


def coming(name: str, day: int, size: int, *, is_birth: bool, instance: int = 1) -> Coming:
    return Coming(instance, f"i{instance}", name, is_birth, day_of(day), size, size + 1, is_edge_estimated=False)


def test_a_death_and_a_birth_of_one_size_are_a_guessed_rename() -> None:
    """Mutual best matches only, on one instance, at most three days apart."""
    comings = [
        coming("old", 10, 10**9, is_birth=False),
        coming("new", 11, 10**9 + 5, is_birth=True),
        coming("also new", 12, 10**9 + 500, is_birth=True),
        coming("elsewhere", 11, 10**9, is_birth=True, instance=2),
        coming("gone", 10, 10**12, is_birth=False),
        coming("late", 14, 10**12, is_birth=True),
        coming("grown", 11, 2 * 10**12, is_birth=True),
        coming("small", 10, 10**6, is_birth=False, instance=5),
        coming("smaller", 11, 8 * 10**5, is_birth=True, instance=5),
    ]
    ((kind, death, birth),) = pair_comings(comings)
    assert (kind, death.database_name, birth.database_name) == (GuessKind.RENAMED, "old", "new")


def test_a_database_of_one_name_that_goes_here_and_comes_there_was_moved() -> None:
    """Unless it was renamed; it may be there before it goes here, and never on the same server."""
    comings = [
        coming("app", 10, 10**10, is_birth=False),
        coming("app", 8, 10**10 + 7, is_birth=True, instance=2),
        coming("app", 5, 10**10, is_birth=True, instance=3),
        coming("shop", 10, 10**9, is_birth=False),
        coming("boutique", 11, 10**9, is_birth=True),
        coming("shop", 11, 10**9, is_birth=True, instance=2),
        coming("again", 10, 10**9, is_birth=False, instance=4),
        coming("again", 9, 10**9, is_birth=True, instance=4),
    ]
    assert [
        (kind, death.instance_id, death.database_name, birth.instance_id, birth.database_name)
        for kind, death, birth in pair_comings(comings)
    ] == [
        (GuessKind.RENAMED, 1, "shop", 1, "boutique"),
        (GuessKind.MOVED, 1, "app", 2, "app"),
    ]


def test_only_large_births_without_a_pair_may_be_copies() -> None:
    births = [coming(f"new {number}", 20, 2**30 + number, is_birth=True) for number in range(MOST_COPIES + 3)]
    small = coming("small", 20, 2**20, is_birth=True)
    death = coming("old", 19, 2**30 + MOST_COPIES + 2, is_birth=False)
    comings = [*births, small, death]
    assert possible_copies(comings, pair_comings(comings)) == births[-2:1:-1]


def test_the_bars_that_people_see_have_the_same_sum() -> None:
    bars = [BarSum(None, Bar.BIRTH, False, 2, 900, 900, 0), BarSum(None, Bar.DEATH, False, 1, -500, 0, 0)]
    renamed = Guess(GuessKind.RENAMED, "i1", "new", "i1", "old", 500, 600, is_last_estimated=True)
    unknown = Guess(GuessKind.MOVED, "i1", "x", "i2", "x", 500, None)
    copied = Guess(GuessKind.COPIED, "i1", "x", "i2", "x", None, 300)
    assert with_guesses(bars, [renamed, unknown, copied]) == (
        BarSum(None, Bar.BIRTH, False, 1, 300, 300, 0),
        BarSum(None, Bar.RENAMED, False, 1, 100, 100, 0),
    )


@THOROUGH
@given(seed=st.integers(0, 2**32))
def test_guesses_only_relabel_what_came_and_went(store: Database, seed: int) -> None:
    """The bars that people see add up like the exact ones, and the others are the same; guesses are of births and deaths."""
    chance = chance_of(seed)
    fleet = random_fleet(chance)
    a, b = two_days(chance)
    store_fleet(store, fleet)
    answer = attribute(store, day_of(a), day_of(b), Grouping("database"), most=1000)
    assert sums(answer.waterfall).total() == answer.change_bytes
    relabelled = {Bar.BIRTH, Bar.DEATH, Bar.RENAMED, Bar.MOVED}
    assert [bar for bar in answer.waterfall if bar.bar not in relabelled] == [bar for bar in answer.exact if bar.bar not in relabelled]
    signs = {Bar.BIRTH: 1, Bar.DEATH: -1}
    assert all(bar.change_bytes * signs.get(bar.bar, 0) >= 0 for bar in answer.waterfall)
    listed = {(row.instance_name, row.database_name, str(row.bar)): row for row in answer.databases}
    for guess in answer.guesses:
        birth = listed.get((guess.instance_name, guess.database_name, "birth"))
        assert (birth.last_bytes if birth else None) == guess.last_bytes
        death = listed.get((guess.instance_before, guess.name_before, "death"))
        assert (death.first_bytes if death else None) == guess.first_bytes
