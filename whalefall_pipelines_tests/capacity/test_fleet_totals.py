"""The total of the fleet: what a person would add up by hand, with silent servers at their newest complete total."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.capacity.ask import fleet_totals
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import DAY, query, register

DAYS = 40
# One instance: for each day back from DAY whether its only database was measured; it grows by 10 bytes a day.
HISTORY = st.lists(st.booleans(), min_size=DAYS, max_size=DAYS)


def size(position: int, ago: int) -> int:
    return 1000 * (position + 1) + 10 * (DAYS - ago)


def written(store: Database, histories: list[list[bool]]) -> tuple[Instance, ...]:
    instances = register(store, *(f"server-{position}" for position in range(len(histories))))
    write_days(
        store,
        {
            ((instance.instance_id, "shop"), DAY - timedelta(days=ago)): ModelDay(size(position, ago) if is_measured else None)
            for position, (instance, history) in enumerate(zip(instances, histories, strict=True))
            for ago, is_measured in enumerate(history)
        },
    )
    return instances


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(HISTORY, min_size=1, max_size=3), seen=st.integers(1, 20))
def test_a_silent_server_counts_with_its_newest_total_of_14_days(store: Database, histories: list[list[bool]], seen: int) -> None:
    with store.transaction() as cursor:
        cursor.execute(
            "truncate instances, credentials, instance_databases, database_size_stats, instance_size_stats, capacity_gaps cascade"
        )
    for history in histories:
        history[0] = True
    written(store, histories)
    answer = fleet_totals(store, DAY, timedelta(days=seen))
    assert [day.stat_date for day in answer.rows] == [DAY - timedelta(days=ago) for ago in range(seen, -1, -1)]
    for day in answer.rows:
        ago = (DAY - day.stat_date).days
        held = [next((back for back in range(ago, min(ago + 15, DAYS)) if history[back]), None) for history in histories]
        known = [size(position, back) for position, back in enumerate(held) if back is not None]
        assert day.total_bytes == (sum(known) if known else None)
        assert (day.instances, day.unknown) == (len(histories), held.count(None))
        assert day.held == sum(back not in {None, ago} for back in held)


def test_a_server_counts_from_its_first_day_to_its_last(store: Database) -> None:
    old, young = written(store, [[True] * DAYS, [True] * DAYS])
    with store.transaction() as cursor:
        cursor.execute("update instance_activity set active_from = %s where instance_id = %s", (DAY - timedelta(days=2), young.instance_id))
        cursor.execute("update instance_activity set active_until = %s where instance_id = %s", (DAY, old.instance_id))
    days = fleet_totals(store, DAY, timedelta(days=4)).rows
    assert [day.instances for day in days] == [1, 1, 2, 2, 1]
    assert days[-1].total_bytes == size(1, 0)


def test_a_partly_measured_server_is_held(store: Database) -> None:
    (instance,) = register(store, "server")
    days = {((instance.instance_id, name), DAY - timedelta(days=ago)): ModelDay(100) for name in ("shop", "blog") for ago in range(3)}
    days[(instance.instance_id, "blog"), DAY] = ModelDay(None)
    write_days(store, days)
    assert query(store, "select total_bytes from instance_size_stats where stat_date = %s", DAY) == [(100,)]
    assert [(day.total_bytes, day.held) for day in fleet_totals(store, DAY, timedelta(days=1)).rows] == [(200, 0), (200, 1)]
