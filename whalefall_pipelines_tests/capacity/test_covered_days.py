"""The states of a calendar agree with the coverage that is counted size by size, whatever the history."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from whalefall_pipelines.capacity.day_reports import read_coverage, read_covered_days
from whalefall_pipelines.capacity.store.sizes import write_totals
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import DAY, query, register

DAYS = [DAY - timedelta(days=14 - number) for number in range(15)]
TAGS = {"a": '{"env": "prod", "tier": "1"}', "b": '{"env": "prod"}', "c": "{}"}


def write_history(store: Database, chance: random.Random) -> None:
    """Measured, estimated, recovered and missing days; days on which nothing ran; a server that was never listed, and one that was away."""
    a, b, c, never = register(store, "a", "b", "c", "never")
    days: dict[tuple[tuple[int, str], date], ModelDay] = {}
    for instance in (a, b, c):
        for name in ("app", "shop"):
            for day in DAYS:
                kind = chance.choices(("measured", "estimated", "missing", "nothing"), (6, 1, 1, 2))[0]
                if kind != "nothing":
                    days[(instance.instance_id, name), day] = ModelDay(None if kind == "missing" else 10**6, kind == "estimated")
    write_days(store, days)
    for name, tags in TAGS.items():
        query(store, "update instances set tags = %s::jsonb where name = %s returning 1", tags, name)
    recovered = [DAYS[number] for number in chance.sample(range(15), 3)]
    query(
        store,
        "update database_size_stats set provenance = 'recovered' where stat_date = any(%s) and provenance = 'measured' returning 1",
        recovered,
    )
    with store.transaction() as cursor:
        write_totals(cursor, [a.instance_id, b.instance_id, c.instance_id], DAYS[0], DAYS[-1], None)
    query(
        store,
        "insert into capacity_gaps (instance_id, stat_date, reason, detail, was_measurable) "
        "select %s, day, 'unreachable', 'away', false from unnest(%s::date[]) as day returning 1",
        never.instance_id,
        DAYS[3:5],
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_states_agree_with_the_counts(store: Database, seed: int) -> None:
    write_history(store, random.Random(seed))  # noqa: S311
    counted = read_coverage(store, DAYS)
    expected = {
        (entry.instance_name, entry.stat_date, entry.state, entry.measured + entry.recovered + entry.estimated, entry.missing)
        for entry in counted
    }
    covered = read_covered_days(store, DAYS, most_rows=10)
    assert {(entry.row_name, entry.stat_date, entry.state, entry.known, entry.missing) for entry in covered} == expected
    assert {(entry.row_name, entry.stat_date): entry.reasons or "" for entry in covered} == {
        (entry.instance_name, entry.stat_date): ", ".join(entry.reasons) for entry in counted
    }
    # With more servers than rows, the servers of a tag are counted by their state.
    groups = {"a": "env=prod", "b": "env=prod"}
    grouped = Counter((groups.get(entry.instance_name, "without a tag"), entry.stat_date, entry.state) for entry in counted)
    assert {
        (entry.row_name, entry.stat_date, entry.state): entry.instances for entry in read_covered_days(store, DAYS, most_rows=3)
    } == grouped


def test_one_server_is_read_alone(store: Database) -> None:
    write_history(store, random.Random(9))  # noqa: S311
    (instance_id,) = query(store, "select instance_id from instances where name = 'b'")[0]
    alone = read_covered_days(store, DAYS, most_rows=10, instance_id=int(str(instance_id)))
    assert alone == tuple(entry for entry in read_covered_days(store, DAYS, most_rows=10) if entry.row_name == "b")
    assert len({entry.state for entry in alone}) > 2
