"""The reading routes answer what the store holds: values, filters, pages, coverage beside every sum, null where nothing is known."""

from datetime import date, timedelta
from typing import Any

import pytest

from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines_tests.api.site import Site
from whalefall_pipelines_tests.factories import query


def ask(running: Site, path: str, **parameters: Any) -> Any:
    with running.client(has_access=True) as client:
        answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def pages(running: Site, path: str, **parameters: Any) -> list[Any]:
    """The rows of all pages, by the cursor."""
    rows: list[Any] = []
    with running.client(has_access=True) as client:
        while True:
            page = client.get(path, params=parameters).json()["data"]
            assert len(page["items"]) <= page["limit"]
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            parameters["cursor"] = page["next_cursor"]


def test_databases_are_listed_with_every_column_of_their_periods(reading: Site) -> None:
    today = reading.services.today()
    rows = ask(reading, "/capacity/databases", instance_id=1, database_name="app", period_type="daily")["items"]
    newest = rows[0]
    assert (newest["period_start"], newest["avg_bytes"], newest["change_bytes"]) == (today.isoformat(), 1090, 10)
    assert (newest["instance_name"], newest["engine"], newest["data_count"], newest["expected_count"]) == ("orders", "postgresql", 1, 1)
    assert [row["estimated_count"] for row in rows].count(1) == 1
    columns = {
        str(name)
        for (name,) in query(
            reading.store,
            "select attname from pg_attribute where attrelid = 'database_size_aggregations'::regclass and attnum > 0 and not attisdropped",
        )
    }
    assert columns <= set(newest)


def test_a_missing_day_is_null_and_no_zero(reading: Site) -> None:
    yesterday = (reading.services.today() - timedelta(days=1)).isoformat()
    rows = ask(reading, "/capacity/databases", instance_id=1, database_name="shop", start_date=yesterday, end_date=yesterday)["items"]
    assert [(row["avg_bytes"], row["data_count"], row["expected_count"]) for row in rows] in ([(None, 0, 1)], [])
    instance = ask(reading, "/capacity/instances", instance_id=1, start_date=yesterday, end_date=yesterday)["items"][0]
    assert (instance["avg_bytes"], instance["change_bytes"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "count", "key"),
    [
        ("/capacity/databases", 40, ("period_start", "instance_id", "database_name")),
        ("/capacity/instances", 20, ("period_start", "instance_id")),
        ("/databases/sizes", 39, ("stat_date", "instance_id", "database_name")),
        ("/coverage", 20, ("stat_date", "instance_id")),
    ],
)
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_a_cursor_leads_through_all_rows_once(reading: Site, path: str, count: int, key: tuple[str, ...], limit: int) -> None:
    rows = pages(reading, path, limit=limit)
    keys = [tuple(row[name] for name in key) for row in rows]
    assert len(set(keys)) == len(keys) in {count, count - 1}
    days = [row[0] for row in keys]
    assert days == sorted(days, reverse=True)


def test_pages_and_cursors_list_the_same(reading: Site) -> None:
    by_cursor = pages(reading, "/databases/sizes", limit=10)
    by_page = [row for number in range(1, 5) for row in ask(reading, "/databases/sizes", limit=10, page=number)["items"]]
    assert by_page == by_cursor


def test_a_count_is_given_only_if_asked_for(reading: Site) -> None:
    assert ask(reading, "/capacity/instances", limit=3)["total"] is None
    counted = ask(reading, "/capacity/instances", limit=3, count=True)
    assert (counted["total"], counted["pages"]) == (20, 7)


def test_summaries_count_each_database_once_and_have_the_coverage_beside_the_sum(reading: Site) -> None:
    summary = ask(reading, "/capacity/databases/summary")
    assert (summary["total_databases"], summary["total_instances"], summary["total_bytes"]) == (4, 2, 2 * (1090 + 2090))
    assert (summary["expected_days"], summary["known_days"], summary["without_size"]) == (4, 4, 0)
    instances = ask(reading, "/capacity/instances/summary", time_range=5)
    assert (instances["total_instances"], instances["total_bytes"]) == (2, 6360)
    weekly = ask(reading, "/capacity/databases/summary", period_type="weekly", instance_id=1)
    assert (weekly["total_databases"], weekly["is_final"]) == (2, False)
    assert weekly["known_days"] <= weekly["expected_days"]


def test_filters_narrow_by_engine_tag_and_database(running: Site) -> None:
    query(running.store, """update instances set tags = '{"env": "prod"}' where name = 'billing' returning 1""")
    assert {row["instance_name"] for row in pages(running, "/databases/sizes", tag="env=prod")} == {"billing"}
    assert {row["instance_name"] for row in pages(running, "/databases/sizes", tag="env")} == {"billing"}
    assert pages(running, "/databases/sizes", tag="env=test") == []
    assert pages(running, "/databases/sizes", engine="oracle") == []
    assert {row["database_name"] for row in pages(running, "/databases/sizes", database_name="app", engine="postgres")} == {"app"}


def test_the_newest_size_of_each_database(reading: Site) -> None:
    rows = pages(reading, "/databases/sizes", latest_only=True, limit=3)
    assert [(row["instance_name"], row["database_name"], row["total_bytes"]) for row in rows] == [
        ("orders", "app", 1090),
        ("orders", "shop", 2090),
        ("billing", "app", 1090),
        ("billing", "shop", 2090),
    ]


def test_coverage_and_gaps_tell_what_is_missing_and_why(reading: Site) -> None:
    yesterday = reading.services.today() - timedelta(days=1)
    covered = {(row["instance_name"], row["stat_date"]): row for row in pages(reading, "/coverage", time_range=3)}
    day = covered["orders", yesterday.isoformat()]
    assert (day["expected"], day["measured"], day["missing"], day["reasons"]) == (2, 1, 1, ["timeout"])
    (gap,) = pages(reading, "/gaps")
    assert (gap["database_name"], gap["reason"], gap["detail"], gap["stat_date"]) == ("shop", "timeout", "asleep", yesterday.isoformat())
    assert pages(reading, "/gaps", reason="vanished") == []


def test_a_number_is_explained(reading: Site) -> None:
    today = reading.services.today()
    measured = ask(reading, "/explain", instance_id=1, database_name="app", day=today.isoformat())
    assert (measured["state"], measured["total_bytes"], measured["method"]) == ("measured", 1090, "pg_database_size")
    assert "pg_database_size" in measured["probe_statements"][0]
    estimated_day = today - timedelta(days=6)
    estimated = ask(reading, "/explain", instance_id=1, database_name="app", day=estimated_day.isoformat())
    assert estimated["state"] == "estimated"
    assert [near["stat_date"] for near in estimated["neighbours"]] == [str(estimated_day + timedelta(days=step)) for step in (-1, 1)]
    missing = ask(reading, "/explain", instance_id=1, database_name="shop", day=str(today - timedelta(days=1)))
    assert (missing["state"], missing["reason"], missing["total_bytes"]) == ("missing", "timeout", None)
    before = ask(reading, "/explain", instance_id=1, database_name="app", day="2020-01-01")
    assert before["state"] == "not expected"


def test_a_period_is_explained_by_its_days(reading: Site) -> None:
    today = reading.services.today()
    week = today - timedelta(days=today.weekday())
    period = ask(reading, "/explain/period", instance_id=1, database_name="app", period_type="weekly", period_start=week.isoformat())
    sizes = [day["total_bytes"] for day in period["days"]]
    assert len(sizes) == period["expected_days"] == (today - week).days + 1
    assert period["avg_bytes"] == round(sum(sizes) / len(sizes))
    assert period["known_days"] == len(sizes)


def test_sessions_are_listed_filtered_and_shown(reading: Site) -> None:
    assert {row["sync_category"] for row in pages(reading, "/sessions", limit=1)} == {"aggregation"}
    assert pages(reading, "/sync-sessions", sync_category=SyncCategory.CAPACITY) == []
    first = pages(reading, "/sessions", status="completed")[0]
    assert ask(reading, f"/sessions/{first['session_id']}")["status"] == "completed"
    assert isinstance(ask(reading, f"/sessions/{first['session_id']}/records"), list)


def test_partitions_are_shown_with_their_health(reading: Site) -> None:
    info = ask(reading, "/partitions/info")
    assert info["total_partitions"] == len(info["partitions"])
    assert info["status"] == "warning"
    assert {missing["table_name"] for missing in info["missing_partitions"]} >= {"database_size_stats"}
    listed = ask(reading, "/partitions", table_type="database_size_stats", sort="total_bytes", order="desc")
    assert {row["table_name"] for row in listed["items"]} == {"database_size_stats"}
    assert ask(reading, "/partitions/statistics")["total_size_bytes"] > 0
    assert ask(reading, "/partitions/status")["status"] == "warning"


def test_core_metrics_are_under_both_paths(reading: Site) -> None:
    metrics = ask(reading, "/partitions/core-metrics", days=2)
    assert metrics == ask(reading, "/partitions/aggregations/core-metrics", days=2)
    assert [(row["instance_count"], row["database_count"], row["database_aggregations"]) for row in metrics][-1] == (2, 4, 4)
    assert date.fromisoformat(metrics[-1]["period_start"]) == reading.services.today()


def test_instances_are_shown_without_their_secrets(running: Site) -> None:
    query(running.store, "update credentials set secret = 'env:MONITOR_PASSWORD' returning 1")
    (first, second) = ask(running, "/instances")["items"]
    assert (first["name"], second["name"], first["secret"]) == ("orders", "billing", "env:MONITOR_PASSWORD")
    sheet = ask(running, "/instances/1")
    assert [known["database_name"] for known in sheet["databases"]] == ["shop", "app"]
