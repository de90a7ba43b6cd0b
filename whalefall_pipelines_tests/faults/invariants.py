"""What holds after any fault, in one function. It reads only the store, with separate statements where the store's own could be wrong."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.capacity.store.plausibility import list_wrong_totals
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query

# Every database that must be measured once the fault is gone, by the name of its instance.
Expected = Mapping[str, AbstractSet[str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is stored about the days other than this one."""

    rows: frozenset[tuple[object, ...]]


def take_snapshot(database: Database, day: date) -> Snapshot:
    """The contents of the other days before the fault."""
    sizes = query(database, "select 'database', s::text from database_size_stats as s where stat_date <> %s", day)
    totals = query(database, "select 'instance', s::text from instance_size_stats as s where stat_date <> %s", day)
    return Snapshot(frozenset([*sizes, *totals]))


def check_invariants(database: Database, day: date, before: Snapshot, expected: Expected, again: Callable[[], object]) -> None:
    """Check the store after a fault, run the day `again` without the fault, and check that it is complete."""
    check_day(database, day, before)
    again()
    check_day(database, day, before)
    check_whole(database, day, expected)


def is_whole(database: Database, day: date, expected: Expected) -> bool:
    """Everything that is expected is measured."""
    return _measured(database, day) == {(instance, name) for instance, names in expected.items() for name in names}


def check_whole(database: Database, day: date, expected: Expected) -> None:
    """Every expected database of the day is measured, and nothing of it is missing."""
    assert _measured(database, day) == {(instance, name) for instance, names in expected.items() for name in names}
    gaps = query(
        database,
        "select i.name, g.database_name, g.reason, g.detail from capacity_gaps as g inner join instances as i using (instance_id) "
        "left join instance_databases as d on d.instance_id = g.instance_id and d.database_name = g.database_name "
        # A database dropped on that very day was expected then, and stays a gap with its reason.
        "where g.stat_date = %s and g.closed_by is null and not (g.reason = 'vanished' and not d.is_active)",
        day,
    )
    assert gaps == []


def _measured(database: Database, day: date) -> set[tuple[object, ...]]:
    statement = (
        "select i.name, s.database_name from database_size_stats as s inner join instances as i using (instance_id) where stat_date = %s"
    )
    return set(query(database, statement, day))


def check_day(database: Database, day: date, before: Snapshot) -> None:
    """Check the store as it is."""
    _check_rows(database, day)
    check_sessions(database)
    assert list_wrong_totals(database, _days(database)) == ()
    assert take_snapshot(database, day) == before


def _days(database: Database) -> list[date]:
    rows = query(database, "select stat_date from database_size_stats union select stat_date from instance_size_stats")
    return [date.fromisoformat(str(row[0])) for row in rows]


def _check_rows(database: Database, day: date) -> None:
    """At most one row per database and day, measured on that day; every other expected database has a gap with its reason."""
    for table, key in (("database_size_stats", "instance_id, database_name, stat_date"), ("instance_size_stats", "instance_id, stat_date")):
        assert query(database, f"select {key} from {table} group by {key} having count(*) > 1") == []
    assert query(database, "select * from database_size_stats where stat_date = %s and provenance <> 'measured'", day) == []
    assert query(database, "select * from capacity_gaps where reason = '' or detail = ''") == []
    sized = "exists (select 1 from database_size_stats as s where (s.instance_id, s.stat_date) = (d.instance_id, d.stat_date)"
    missing = "exists (select 1 from capacity_gaps as g where (g.instance_id, g.stat_date) = (d.instance_id, d.stat_date)"
    this_one = "and s.database_name = d.database_name)"
    its_gap = "and (g.database_name = d.database_name or g.database_name is null) and g.closed_by is null)"
    wrong = query(
        database,
        "select d.* from (select *, %s::date as stat_date from instance_databases) as d where d.first_seen_date <= d.stat_date "
        f"and ({sized} {this_one} and {missing} {its_gap} "
        f"or d.is_active and ({sized}) or {missing})) and not {sized} {this_one} and not {missing} {its_gap})",
        day,
    )
    assert wrong == []
    totals = query(
        database,
        # A database is measurable if it has a size on that day or an earlier one, whatever came later.
        "select t.* from instance_size_stats as t where expected_count <> database_count + (select count(*) from capacity_gaps as g "
        "where g.closed_by is null and (g.instance_id, g.stat_date) = (t.instance_id, t.stat_date) and exists (select 1 "
        "from database_size_stats as s where (s.instance_id, s.database_name) = (g.instance_id, g.database_name) "
        "and s.stat_date <= g.stat_date and s.provenance <> 'estimated'))",
    )
    assert totals == []


def check_sessions(database: Database) -> None:
    """Nothing is running, and the counts of a session match its records."""
    assert query(database, "select * from sync_sessions where status = 'running'") == []
    assert query(database, "select * from sync_instance_records where status = 'running'") == []
    wrong = query(
        database,
        "select s.session_id, s.status from sync_sessions as s left join lateral (select "
        "count(*) filter (where r.status = 'completed' and not r.is_skipped) as successful, "
        "count(*) filter (where r.status = 'failed') as failed, count(*) filter (where r.is_skipped) as skipped, "
        "count(*) filter (where r.status = 'pending') as pending "
        "from sync_instance_records as r where r.session_id = s.session_id) as c on true "
        "where (s.successful_instances, s.failed_instances, s.skipped_instances) is distinct from (c.successful, c.failed, c.skipped) "
        "or (s.status = 'completed' and c.failed + c.pending > 0) or s.completed_at is null",
    )
    assert wrong == []


def check_tables(database: Database) -> None:
    """Tables add up to their database or are missing with a reason, none has a size twice, and no size is left of a day without one."""
    check_sessions(database)
    assert query(database, "select * from table_size_observations where reason = '' or detail = ''") == []
    sums = query(
        database,
        "select o.* from table_size_observations as o where o.total_bytes is distinct from "
        "(select sum(t.total_bytes) from table_sizes as t "
        "where (t.instance_id, t.database_name, t.stat_date) = (o.instance_id, o.database_name, o.stat_date) and t.partition_name = '')",
    )
    assert sums == []
    key = "instance_id, database_name, stat_date, schema_name, table_name, partition_name, kind"
    assert query(database, f"select {key} from table_sizes group by {key} having count(*) > 1") == []
