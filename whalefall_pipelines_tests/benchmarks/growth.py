"""Attribution of growth: 100,000 databases between two days a month apart, by tag and by database, with what came and went."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from whalefall_pipelines.growth.attribute import Grouping, attribute
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.servers import embedded_store

INSTANCES, DATABASES = 1000, 100
LAST = date(2026, 11, 22)
FIRST = LAST - timedelta(days=30)
ROUNDS = 5
_FILL = """
insert into credentials (name, username) values ('all', 'monitor');
insert into instances (name, engine, host, port, credential_id, created_at, tags)
select 'i' || n, 'mysql', '127.0.0.1', 1 + n, c.credential_id, '2020-01-01', jsonb_build_object('team', 'team ' || n %% 20)
from generate_series(1, %(instances)s) as n cross join credentials as c;
-- every fiftieth came, and every fiftieth went, between the days
insert into database_activity (instance_id, database_name, active_from, active_until, database_id, first_measured_date)
select i.instance_id, 'd' || n, case n %% 50 when 1 then %(last)s::date - 9 else '2026-01-01' end,
    case n %% 50 when 2 then %(last)s::date - 9 end, n, '2026-01-01'
from instances as i cross join generate_series(1, %(databases)s) as n;
-- and every hundredth is missing
insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method)
select a.instance_id, a.database_name, d.day, 1000000000 + 8192::bigint * a.instance_id * (d.day - '2026-01-01'::date), now(),
    'measured', 'x'
from database_activity as a cross join unnest(array[%(first)s, %(last)s - 1, %(last)s]::date[]) as d (day)
where d.day >= a.active_from and (a.active_until is null or d.day < a.active_until)
    and not (d.day = %(last)s and a.database_id %% 100 = 3);
insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance)
select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured' from database_size_stats group by 1, 2
"""


def measure(folder: Path) -> Iterator[Figure]:
    """The whole answer of the command, by each grouping."""
    with embedded_store(folder) as store:
        ensure_months(store, [FIRST, LAST])
        with store.transaction(statement_seconds=600) as cursor:
            cursor.execute(_FILL, {"instances": INSTANCES, "databases": DATABASES, "first": FIRST, "last": LAST})
        with store.session() as cursor:
            cursor.execute("vacuum (analyze)")
        for grouping in (Grouping("tag", "team"), Grouping("database")):
            seconds = [_seconds(store, grouping) for _ in range(ROUNDS)]
            name = f"attribution of 100,000 databases by {grouping.by}"
            yield Figure(name, median(seconds), 3, "s", f"median of {ROUNDS}; best {min(seconds):.2f} s")


def _seconds(store: Database, grouping: Grouping) -> float:
    begun = time.monotonic()
    answer = attribute(store, FIRST, LAST, grouping, most=20)
    seconds = time.monotonic() - begun
    assert sum(bar.change_bytes for bar in answer.exact) == answer.change_bytes != 0
    return seconds
