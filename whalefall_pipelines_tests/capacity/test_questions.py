"""`whalefall top`, `history` and `growth`, and the views with names: what is missing has a reason, and is never zero."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.cli.commands import refused, succeed
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register

TODAY = today(datetime.now(UTC), TIMEZONE)
GIB = 2**30


def ago(count: int) -> date:
    return TODAY - timedelta(days=count)


@pytest.fixture
def environment(store: Database, store_environment: dict[str, str]) -> dict[str, str]:
    """Two servers over ten days. Of `orders`, `audit` is silent for two days, and `shop` is estimated today. `web` has a young one."""
    orders, web = register(store, "orders", "web")
    with store.transaction() as cursor:
        cursor.execute("update instances set tags = jsonb_build_object('team', 'sales') where name = 'orders'")
    shop, audit, blog = (orders.instance_id, "shop"), (orders.instance_id, "audit"), (web.instance_id, "blog")
    days = {(shop, ago(count)): ModelDay((20 - count) * GIB, is_estimated=count == 0) for count in range(10)}
    days |= {(audit, ago(count)): ModelDay(50 * GIB if count > 1 else None) for count in range(10)}
    days |= {(blog, ago(count)): ModelDay((5 - count) * GIB) for count in range(4)}
    write_days(store, days)
    return store_environment


def asked(environment: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    return json.loads(succeed(environment, *arguments, "--json"))


def rows(environment: dict[str, str], *arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(succeed(environment, *arguments, "--csv"))))


def test_a_silent_database_keeps_its_place_among_the_largest(environment: dict[str, str]) -> None:
    largest = asked(environment, "top", "--limit", "2")
    assert [(row["database_name"], row["total_bytes"], row["state"], row["known_bytes"], row["known_date"]) for row in largest] == [
        ("audit", None, "missing", 50 * GIB, str(ago(2))),
        ("shop", 20 * GIB, "estimated", 20 * GIB, str(TODAY)),
    ]
    shown = succeed(environment, "top")
    assert "missing (timeout)" in shown
    assert "estimated" in shown
    assert shown.index("audit") < shown.index("shop") < shown.index("blog")


def test_a_silent_database_does_not_shrink_its_server(environment: dict[str, str]) -> None:
    orders, web = rows(environment, "top", "--by", "instance")
    assert (orders["group_name"], orders["known_bytes"], orders["total_bytes"], orders["missing"]) == (
        "orders",
        str(70 * GIB),
        str(20 * GIB),
        "1",
    )
    assert (web["group_name"], web["total_bytes"], web["missing"]) == ("web", str(5 * GIB), "0")


def test_sizes_are_summed_by_tag(environment: dict[str, str]) -> None:
    by_team = {row["group_name"]: row["known_bytes"] for row in rows(environment, "top", "--by", "tag:team")}
    assert by_team == {"sales": str(70 * GIB), "": str(5 * GIB)}
    assert "--by is 'tag:'" in refused(environment, "top", "--by", "tag:")


def test_the_history_of_a_database_says_why_a_day_is_missing(environment: dict[str, str]) -> None:
    days = asked(environment, "history", "orders/audit", "--since", "3d")
    assert [(row["stat_date"], row["total_bytes"], row["change_bytes"], row["state"], row["reasons"]) for row in days] == [
        (str(ago(3)), 50 * GIB, None, "measured", []),
        (str(ago(2)), 50 * GIB, 0, "measured", []),
        (str(ago(1)), None, None, "missing", ["timeout"]),
        (str(TODAY), None, None, "missing", ["timeout"]),
    ]
    assert "▁▁!!" in succeed(environment, "history", "orders/audit", "--since", "3d")


def test_the_history_of_a_server_never_dips_because_a_database_is_silent(environment: dict[str, str]) -> None:
    newest = asked(environment, "history", "orders", "--limit", "3")
    assert [(row["total_bytes"], row["change_bytes"], row["state"]) for row in newest] == [
        (68 * GIB, GIB, "measured"),
        (19 * GIB, None, "partly missing"),
        (20 * GIB, None, "partly missing"),
    ]


def test_names_may_contain_slashes(environment: dict[str, str], store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("update instances set name = case name when 'web' then 'eu' else 'eu/orders' end")
        cursor.execute("update instance_databases set database_name = 'a/b' where database_name = 'shop'")
        cursor.execute("update database_activity set database_name = 'a/b' where database_name = 'shop'")
        cursor.execute("update database_size_stats set database_name = 'a/b' where database_name = 'shop'")
    for name in ("eu/orders/a/b", "eu/orders", "eu/blog", "eu"):
        assert asked(environment, "history", name, "--limit", "1")[0]["total_bytes"]
    assert "eu/orders has no database 'x'" in refused(environment, "history", "eu/orders/x")
    assert "Not registered: 'us'" in refused(environment, "history", "us/orders")


def test_a_renamed_database_keeps_its_history(environment: dict[str, str], store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("update database_activity set active_until = %s where database_name = 'blog'", (ago(1),))
        cursor.execute(
            "insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date) "
            "select instance_id, 'journal', %s, database_id, first_measured_date from database_activity where database_name = 'blog'",
            (ago(1),),
        )
        cursor.execute("update instance_databases set database_name = 'journal' where database_name = 'blog'")
        cursor.execute(
            "update database_size_stats set database_name = 'journal' where database_name = 'blog' and stat_date >= %s", (ago(1),)
        )
    days = asked(environment, "history", "web/journal")
    assert [row["total_bytes"] for row in days] == [2 * GIB, 3 * GIB, 4 * GIB, 5 * GIB]
    assert asked(environment, "growth", "--since", "3d")[0]["change_bytes"] == 3 * GIB
    assert query(store, "select change_1d_bytes from database_growth where database_name = 'journal'") == [(GIB,)]


def test_a_day_on_which_nothing_ran_is_missing(environment: dict[str, str], store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("delete from database_size_stats where stat_date = %s", (ago(3),))
    days = asked(environment, "history", "orders/shop", "--since", "4d")
    assert (days[1]["stat_date"], days[1]["total_bytes"], days[1]["reasons"]) == (str(ago(3)), None, ["not_collected"])


def test_growth_is_between_known_days_and_marks_estimates(environment: dict[str, str]) -> None:
    grown = {row["database_name"]: row for row in asked(environment, "growth", "--since", str(ago(9)))}
    shop, audit, blog = (grown[name] for name in ("shop", "audit", "blog"))
    assert (shop["change_bytes"], shop["change_percent"], shop["bytes_a_day"], shop["is_estimated"]) == (9 * GIB, 81.8, GIB, True)
    assert (audit["change_bytes"], audit["to_date"], audit["state"], audit["reason"]) == (0, str(ago(2)), "missing", "timeout")
    assert (blog["change_bytes"], blog["from_date"]) == (3 * GIB, str(ago(3)))
    shown = succeed(environment, "growth", "--since", "9d", "--limit", "1")
    assert "9.7 GB" in shown
    assert "81.8 %" in shown
    assert "blog" not in shown


def test_a_question_that_cannot_be_answered_says_so(environment: dict[str, str], store_environment: dict[str, str]) -> None:
    assert "no database 'nothing'" in refused(environment, "history", "orders/nothing")
    assert "Not registered: 'nobody'" in refused(environment, "history", "nobody")
    assert "neither a number of days" in refused(environment, "growth", "--since", "soon")
    assert "must be before" in refused(environment, "growth", "--since", "2999-01-01")


def test_without_a_day_the_next_command_is_named(store_environment: dict[str, str]) -> None:
    assert "whalefall collect" in refused(store_environment, "top")


def test_the_views_answer_in_sql(environment: dict[str, str], store: Database) -> None:
    rows = query(store, "select database_name, total_bytes, state, reason, known_date from fleet_today order by known_bytes desc")
    assert rows == [
        ("audit", None, "missing", "timeout", ago(2)),
        ("shop", 20 * GIB, "estimated", None, TODAY),
        ("blog", 5 * GIB, "measured", None, TODAY),
    ]
    grown = query(
        store, "select database_name, change_1d_bytes, change_7d_bytes, change_30d_bytes, stat_date from database_growth order by 1"
    )
    assert grown == [("audit", 0, 0, None, ago(2)), ("blog", GIB, None, None, TODAY), ("shop", GIB, 7 * GIB, None, TODAY)]


def test_every_column_of_the_views_is_explained(store: Database) -> None:
    unexplained = (
        "select attrelid::regclass::text, attname from pg_attribute where attnum > 0 and col_description(attrelid, attnum) is null "
        "and attrelid in ('fleet_today'::regclass, 'database_growth'::regclass)"
    )
    assert query(store, unexplained) == []


def test_a_server_whose_databases_were_never_listed_is_missing(store: Database, store_environment: dict[str, str]) -> None:
    up, down = register(store, "up", "down")
    write_days(store, {((up.instance_id, "app"), TODAY): ModelDay(GIB)})
    with store.transaction() as cursor:
        cursor.execute(
            "insert into capacity_gaps (instance_id, stat_date, reason, detail) values (%s, %s, 'timeout', 'asleep')",
            (down.instance_id, TODAY),
        )
    (_, missing) = asked(store_environment, "top")
    assert (missing["instance_name"], missing["database_name"], missing["state"]) == ("down", None, "missing")
    assert "(never listed)" in succeed(store_environment, "top")
