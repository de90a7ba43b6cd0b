"""Streamed rows: what PostgreSQL's own `row_to_json` makes of the same rows."""

import json
from datetime import timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.streams import stream_rows
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import DAY, register
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES


def test_a_line_is_what_row_to_json_makes_of_the_row(store: Database) -> None:
    (instance,) = register(store, 'a "server"')
    days = [DAY - timedelta(days=age) for age in range(3)]
    write_days(store, {((instance.instance_id, name), day): ModelDay(2**53 + 1) for name in HOSTILE_NAMES for day in days})
    values = {**FleetFilter().parameters, **Days(days[-1], days[0]).parameters}
    for dataset in ("database_sizes", "instance_sizes", "coverage"):
        statement = f"capacity/export_{dataset}"
        lines = b"".join(stream_rows(store, statement, values, "ndjson")).decode().splitlines()
        with store.transaction() as cursor:
            cursor.execute(f"select row_to_json(exported)::text from ({queries.load(statement)}) as exported", values)
            expected = [line for (line,) in cursor.fetchall()]
        assert sorted(lines) == sorted(expected)
        assert len(lines) == (3 * len(HOSTILE_NAMES) if dataset == "database_sizes" else 3)
        assert all(json.loads(line)["stat_date"] in map(str, days) for line in lines)
