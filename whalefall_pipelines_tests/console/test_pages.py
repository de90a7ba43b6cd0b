"""The pages over a store: what a person reads, as HTML."""

from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.edit_rules import install_rules
from whalefall_pipelines.console.blocks import Cards, Note, Page, Picture, Table
from whalefall_pipelines.console.pages.access import access_page
from whalefall_pipelines.console.pages.classes import classes_page, rule_page
from whalefall_pipelines.console.pages.database import database_page
from whalefall_pipelines.console.pages.explanation import explanation_page
from whalefall_pipelines.console.pages.fleet import fleet_page
from whalefall_pipelines.console.pages.growth import growth_page
from whalefall_pipelines.console.pages.instances import instances_page
from whalefall_pipelines.console.pages.missing import missing_page
from whalefall_pipelines.console.pages.partitions import partitions_page
from whalefall_pipelines.console.pages.runway import runway_page
from whalefall_pipelines.console.pages.server import server_page
from whalefall_pipelines.console.pages.sessions import session_page, sessions_page
from whalefall_pipelines.console.render import NAVIGATION, Surroundings, render_page
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.forecasts.wording import WHY_NO_DATE
from whalefall_pipelines.retention.archive import archive_month
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months, read_catalogue
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.site import services_over
from whalefall_pipelines_tests.classification.scene import SUPERUSER, rule, save
from whalefall_pipelines_tests.classification.test_fleet_classifications import TODAY, scene_of
from whalefall_pipelines_tests.console.reader import Reader
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import DAY, query, register

GB = 10**9
SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})


def read(page: Page, path: str = "/", **asked: str) -> Reader:
    return Reader(render_page(page, Surroundings(path, asked, "Asia/Shanghai")))


def table(page: Page, key: str) -> list[dict[str, object]]:
    """The rows of a table of a page, by column."""
    tables = [block if isinstance(block, Table) else block.table for block in page.blocks if isinstance(block, Table | Picture)]
    (wanted,) = [candidate for candidate in tables if candidate is not None and candidate.key == key]
    return [{column: value.raw for column, value in zip(wanted.columns, row, strict=True)} for row in wanted.rows]


def cards(page: Page) -> dict[str, object]:
    return {card.name: card.value.raw for block in page.blocks if isinstance(block, Cards) for card in block.cards}


def notes(page: Page) -> list[str]:
    return [f"{block.tone}: {block.sentence}" for block in page.blocks if isinstance(block, Note)]


def ago(count: int) -> date:
    return DAY - timedelta(days=count)


@pytest.fixture
def fleet(store: Database) -> Database:
    """Two servers over 20 days: `shop` grows by a gigabyte a day, `audit` beside it is silent today, `blog` is small."""
    orders, web = register(store, "orders", "web")
    days: dict[tuple[tuple[int, str], date], ModelDay] = {}
    for count in range(20):
        days[(orders.instance_id, "shop"), ago(count)] = ModelDay((50 - count) * GB)
        days[(orders.instance_id, "audit"), ago(count)] = ModelDay(None if count == 0 else 30 * GB)
        days[(web.instance_id, "blog"), ago(count)] = ModelDay(GB)
    write_days(store, days)
    return store


def test_the_fleet_says_how_big_it_is_what_grew_and_what_is_missing(fleet: Database) -> None:
    page = fleet_page(fleet, DAY, 30, 20)
    # 50 of shop, 30 of audit as of yesterday, 1 of blog
    assert page.answer == f"The fleet holds 81.0 GB on {DAY}; 1 of 3 databases is missing and counts with its last known size."
    assert notes(page) == ["problem: 1 missing on orders: timeout."]
    assert cards(page)["Total"] == 81 * GB
    # The fleet's line holds the whole server at its newest complete total: 49 + 30 + 1.
    assert [(row["Day"], row["Total"], row["Held"]) for row in table(page, "total")[:2]] == [(DAY, 80 * GB, 1), (ago(1), 80 * GB, 0)]
    assert [row["Database"] for row in table(page, "largest")] == ["shop", "audit", "blog"]
    assert next((row["Database"], row["Change"]) for row in table(page, "fastest")) == ("shop", 19 * GB)
    assert "missing (timeout)" in read(page).texts
    chosen = fleet_page(fleet, DAY, 5, 1)
    assert [row["Database"] for row in table(chosen, "largest")] == ["shop"]
    assert [row["Day"] for row in table(chosen, "total")] == [ago(count) for count in range(6)]
    assert cards(chosen)["Change in 5 days"] == 4 * GB  # today's total of orders is that of yesterday


def test_an_empty_store_says_what_to_do(store: Database) -> None:
    assert "whalefall collect" in " ".join(read(fleet_page(store, DAY, 30, 20)).texts)
    assert "Nothing has been measured yet" in missing_page(store, DAY, None).answer
    assert "whalefall instances add" in " ".join(read(instances_page(store, None)).texts)
    assert sessions_page(store, {}).answer == "0 running; 0 of the newest 0 failed."


def test_a_server_shows_its_limit_and_its_databases(fleet: Database) -> None:
    with fleet.transaction() as cursor:
        cursor.execute("update instances set capacity_limit_bytes = %s where name = 'orders'", (100 * GB,))
    page = server_page(fleet, DAY, "orders")
    assert (cards(page)["Size"], cards(page)["Limit"]) == (80 * GB, 100 * GB)
    assert [(row["Database"], row["Size"]) for row in table(page, "databases")] == [("shop", 50 * GB), ("audit", 30 * GB)]
    newest = table(page, "history")[0]
    assert (newest["Day"], newest["State"], newest["Change"]) == (DAY, "partly missing", None)
    assert "limit 100.0 GB" in "".join(read(page).texts)
    with pytest.raises(NotFoundError):
        server_page(fleet, DAY, "nowhere")


def test_a_server_is_its_databases_on_each_other_and_says_how_it_was_probed(fleet: Database) -> None:
    page = server_page(fleet, DAY, "orders")
    layers = table(page, "layers")
    # Today audit is missing: a sum would be a dip, so the day is a gap.
    assert [row["Day"] for row in layers] == [ago(count) for count in range(1, 20)]
    assert (layers[0]["shop"], layers[0]["audit"]) == (49 * GB, 30 * GB)
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    (instance_id,) = query(fleet, "select instance_id from instances where name = 'orders'")[0]
    sessions.open_session(fleet, plan, [int(str(instance_id))])
    query(fleet, "update sync_instance_records set status = 'running', started_at = now() returning 1")
    sessions.abandon_session(fleet, plan.session_id, SessionStatus.FAILED, error_code="X", error_message="no answer")
    (probe,) = table(server_page(fleet, DAY, "orders"), "probes")
    assert (probe["Status"], probe["What happened"]) == ("failed", "no answer")


def test_each_day_of_a_database_leads_to_its_explanation(fleet: Database) -> None:
    page = database_page(fleet, DAY, "orders", "shop")
    links = [link for link in read(page).links if link.startswith("/explain")]
    assert {parse_qs(urlsplit(link).query)["day"][0] for link in links} == {str(ago(count)) for count in range(20)}
    measured = explanation_page(fleet, "orders", "shop", ago(3), None)
    assert measured.answer.startswith(f"orders/shop was measured for {ago(3)} with the method pg_database_size")
    missing = explanation_page(fleet, "orders", "audit", DAY, None)
    assert (notes(missing), table(missing, "neighbours")) == (["problem: It is missing: timeout."], [{"Day": ago(1), "Size": 30 * GB}])
    with pytest.raises(NotFoundError):
        explanation_page(fleet, "orders", "nothing", DAY, None)


def test_a_database_shows_its_steps_its_forecast_and_its_months(fleet: Database) -> None:
    (instance_id, database_id) = query(fleet, "select instance_id, database_id from database_activity where database_name = 'shop'")[0]
    change = "insert into capacity_changes values (%s, %s, 'step', %s, %s, %s, %s) returning 1"
    query(fleet, change, instance_id, database_id, ago(6), ago(5), ago(3), 4 * GB)
    forecast_day(fleet, DAY, DAY)
    query(
        fleet,
        "update capacity_forecasts set lower_80_bytes = point_bytes - 1000, upper_80_bytes = point_bytes + 2000 "
        "where database_id = %s returning 1",
        database_id,
    )
    compute_periods(fleet, [period_of(PeriodType.MONTHLY, DAY)], DAY)
    page = database_page(fleet, DAY, "orders", "shop")
    assert [(row["Kind"], row["Change"]) for row in table(page, "changes")] == [("step", 4 * GB)]
    forecast = table(page, "forecast")
    assert [row["Day"] for row in forecast] == [DAY + timedelta(days=days) for days in (7, 30, 90)]
    assert all(int(str(row["P90"])) - int(str(row["P10"])) == 3000 for row in forecast)
    (month,) = table(page, "periods")
    assert (month["Smallest"], month["Largest"], month["Days known"]) == (31 * GB, 50 * GB, 20)
    svg = next(block.svg for block in page.blocks if isinstance(block, Picture))
    assert ("interval" in svg, "+4.0 GB" in svg) == (True, True)


def test_a_database_says_how_it_grew(fleet: Database) -> None:
    assert database_page(fleet, DAY, "orders", "shop").answer == f"50.0 GB on {DAY}; it grew by 19.0 GB since {ago(19)}."
    silent = database_page(fleet, DAY, "orders", "audit")
    assert silent.answer == f"30.0 GB on {ago(1)}; it grew by 0 B since {ago(19)}."
    assert table(silent, "history")[0]["Reasons"] == "timeout"


def test_the_bars_of_growth_lead_from_one_total_to_the_other(fleet: Database) -> None:
    page = growth_page(fleet, DAY, 10, "database", "")
    # Before: 40 of shop, 30 of audit, 1 of blog. After: 50 and 1; audit is missing, which is a bar of its own.
    assert page.answer == (
        f"The fleet grew by 10.0 GB from {ago(10)} to {DAY}, with missing databases at their last known size; "
        "the stored totals differ by -20.0 GB."
    )
    assert {row["Bar"]: row["Change"] for row in table(page, "bars") if row["Change"]} == {"Growth": 10 * GB, "Missing now": -30 * GB}
    assert cards(page)["Change"] == 10 * GB
    assert {row["Database"]: row["Change"] for row in table(page, "databases")} == {"shop": 10 * GB, "audit": -30 * GB}
    by_server = table(growth_page(fleet, DAY, 10, "instance", ""), "groups")
    assert sum(int(str(row["Change"])) for row in by_server) == -20 * GB
    with pytest.raises(InputError):
        growth_page(fleet, DAY, 10, "colour", "")


def test_growth_is_followed_from_a_tag_to_its_servers_and_to_their_databases(fleet: Database) -> None:
    """Each link of a group is the page of what is in it, and what is in it adds up to the group."""
    query(fleet, """update instances set tags = '{"env": "prod"}' where name = 'orders' returning 1""")
    page, steps = growth_page(fleet, DAY, 10, "tag:env", ""), []
    for _ in range(2):
        groups = next(block for block in page.blocks if isinstance(block, Table) and block.key == "groups")
        change = sum(int(str(row[2].raw)) for row in groups.rows if row[0].raw in {"prod", "orders"})
        (url,) = {row[0].url for row in groups.rows if row[0].raw in {"prod", "orders"}}
        asked = {name: values[0] for name, values in parse_qs(urlsplit(str(url)).query).items()}
        page = growth_page(fleet, DAY, int(asked["days"]), asked["by"], asked["within"])
        steps.append((asked["by"], asked["within"], change, sum(int(str(row["Change"])) for row in table(page, "bars"))))
    assert steps == [("instance", "tag:env=prod", -20 * GB, -20 * GB), ("database", "instance:orders", -20 * GB, -20 * GB)]
    assert {row["Database"]: row["Change"] for row in table(page, "databases")} == {"shop": 10 * GB, "audit": -30 * GB}
    assert cards(growth_page(fleet, DAY, 10, "database", "tag:env"))["Before"] == GB  # blog, whose server has no such tag
    assert notes(growth_page(fleet, DAY, 10, "database", "instance:nowhere")) == ["warning: No sizes are compared."]
    with pytest.raises(InputError, match="--within is 'nowhere'"):
        growth_page(fleet, DAY, 10, "database", "nowhere")


def test_the_runway_has_a_date_or_a_reason_for_everything(fleet: Database) -> None:
    assert notes(runway_page(fleet)) == ["warning: No forecasts have been made yet."]
    forecast_day(fleet, DAY, DAY)
    page = runway_page(fleet)
    # Nothing has a limit, and twenty days are a short history: no date is named, but a reason is.
    assert page.answer == "No limit is in sight."
    reasons = {row["Name"]: row["Why"] for row in table(page, "undated")}
    assert set(reasons) >= {"orders", "orders/shop", "web/blog"}
    assert set(reasons.values()) <= set(WHY_NO_DATE.values())


def test_what_is_missing_has_its_reason_and_its_cure(fleet: Database) -> None:
    page = missing_page(fleet, DAY, None)
    assert page.answer == f"1 of 3 expected databases is missing on {DAY}, and 0 are estimated."
    assert notes(page) == ["problem: orders/audit: timeout."]
    assert notes(missing_page(fleet, DAY, ago(1))) == []


def test_the_partitions_are_those_of_the_catalogue(fleet: Database) -> None:
    page = partitions_page(fleet, SETTINGS, DAY)
    attached = query(fleet, "select relname::text from pg_class where relispartition and relkind = 'r' order by 1")
    assert sorted((str(row["Name"]),) for row in table(page, "partitions")) == attached
    assert page.answer.startswith(f"{len(attached)} table partitions hold ")


def test_an_archived_month_is_drawn_and_names_its_command(store: Database, tmp_path: Path) -> None:
    settings = load_settings({"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_ARCHIVE_DIR": str(tmp_path / "archive")})
    assert table(partitions_page(store, settings, DAY), "archives") == []
    month, partition = DAY.replace(day=1) - timedelta(days=1), "instance_size_stats"
    ensure_months(store, [month])
    (table_partition,) = [known for known in read_catalogue(store, [partition]) if str(known.month) == f"{month:%Y-%m}"]
    (tmp_path / "archive").mkdir()
    file = archive_month(store, table_partition, tmp_path / "archive")
    with store.transaction() as cursor:
        cursor.execute(f"drop table {table_partition.name}")
    page = partitions_page(store, settings, DAY)
    (row,) = table(page, "archives")
    assert (row["Table"], row["Month"], row["Rows"], row["Size"]) == (partition, f"{month:%Y-%m}", 0, file.stat().st_size)
    assert row["Restore with"] == f"whalefall partitions restore {file}"
    assert f"{file.name}: 0 rows" in render_page(page, Surroundings("/partitions", {}, "Asia/Shanghai"))
    file.with_suffix(".json").write_text("{")
    assert notes(partitions_page(store, settings, DAY))[-1] == "warning: The archived months are unknown."


def test_a_rule_shows_its_text_and_what_it_would_have_matched(store: Database) -> None:
    assert "whalefall rules install" in " ".join(read(classes_page(store, DAY, None, None)).texts)
    install_rules(store)
    page = classes_page(store, DAY, None, None)
    assert page.answer == f"0 accounts are in the class Privileged on {DAY}."
    name = str(table(page, "rules")[0]["Rule"])
    rule = rule_page(store, DAY, name, 3, {"server": "nowhere", "account": "nobody"})
    assert [row["Day"] for row in table(rule, "replay")] == [DAY, ago(1), ago(2)]
    assert notes(rule)[0] == "warning: nowhere/nobody cannot be explained."
    assert f"name: {name}" in "".join(read(rule).texts)
    assert all(not isinstance(block, Table) for block in rule_page(store, DAY, name, None, {}).blocks)
    with pytest.raises(NotFoundError):
        rule_page(store, DAY, "nothing", 3, {})
    with pytest.raises(InputError):
        rule_page(store, DAY, name, 400, {})


def test_the_trend_of_a_class_counts_an_account_once_a_day(store: Database, tmp_path: Path) -> None:
    """`app` became a superuser of a server today; two rules match each superuser. Two days ago nothing was classified."""
    scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("again", dict(SUPERUSER, args={})))
    for day in (TODAY - timedelta(days=1), TODAY):
        classify_accounts(store, day)
    page = classes_page(store, TODAY, None, "privileged")
    assert [(row["Day"], row["Accounts"]) for row in table(page, "trend")] == [(TODAY, 3), (TODAY - timedelta(days=1), 2)]
    before = classes_page(store, TODAY, TODAY - timedelta(days=2), "privileged")
    assert not [block for block in before.blocks if isinstance(block, Picture)]


def test_servers_are_compared_by_a_tag(store: Database) -> None:
    register(store, "orders")
    assert table(access_page(store, DAY, {"tag": "env=prod"}, None), "drift") == []
    assert notes(access_page(store, DAY, {"tag": "nonsense"}, None)) == ["warning: These servers cannot be compared."]


def test_accounts_are_found_by_their_name_and_their_server(store: Database, tmp_path: Path) -> None:
    people = AccountsTest(store, tmp_path, {"orders": FakeServer(), "web": FakeServer()}, day=DAY)
    people.hold(listing(account("billing_app"), account("root", is_superuser=True)), facts(), "orders")
    people.hold(listing(account("billing_app")), facts(), "web")
    people.sync()

    def accounts_with(**asked: str) -> list[tuple[object, object]]:
        return [(row["Account"], row["Server"]) for row in table(access_page(store, DAY, asked, None), "accounts")]

    assert access_page(store, DAY, {}, None).answer == f"3 accounts are known on {DAY}, and 1 is a superuser."
    assert accounts_with(account="BILL") == [("billing_app", "orders"), ("billing_app", "web")]
    assert (accounts_with(account="bill", server="web"), accounts_with(superusers="true")) == (
        [("billing_app", "web")],
        [("root", "orders")],
    )
    assert notes(access_page(store, DAY, {"server": "nowhere"}, None)) == ["warning: There is no server nowhere."]


def test_one_server_with_one_account_and_one_database_is_told_in_the_singular(store: Database, tmp_path: Path) -> None:
    people = AccountsTest(store, tmp_path, {"orders": FakeServer()}, day=DAY)
    people.hold(listing(account("root", is_superuser=True)), facts(), "orders")
    people.sync()
    (orders,) = people.instances
    write_days(store, {((orders.instance_id, "shop"), DAY): ModelDay(GB)})
    assert fleet_page(store, DAY, 30, 20).answer == f"1 server holds 1.0 GB on {DAY}; every expected database was measured."
    assert instances_page(store, None).answer == "1 server is registered, and 1 is collected."
    assert server_page(store, DAY, "orders").answer.endswith("with 1 database.")
    assert access_page(store, DAY, {}, None).answer == f"1 account is known on {DAY}, and 1 is a superuser."


def test_sessions_are_chosen_by_category_and_status(store: Database) -> None:
    for category in (SyncCategory.CAPACITY, SyncCategory.ACCOUNT):
        sessions.open_session(store, SessionPlan(uuid4(), category, SyncType.MANUAL_TASK, DAY, DAY), [])
    assert [row["Category"] for row in table(sessions_page(store, {"category": "account"}), "sessions")] == ["account"]
    assert table(sessions_page(store, {"category": "account", "status": "failed"}), "sessions") == []


def test_the_limit_of_a_server_counts_what_is_no_database(fleet: Database) -> None:
    query(fleet, "update instances set capacity_limit_bytes = %s returning 1", 10 * GB)
    (instance_id,) = query(fleet, "select instance_id from instances where name = 'web'")[0]
    part = "insert into instance_shared_stats (instance_id, stat_date, part, total_bytes) values (%s, %s, 'wal', %s) returning 1"
    ensure_months(fleet, [DAY])
    query(fleet, part, instance_id, DAY, 5 * GB)
    page = server_page(fleet, DAY, "web")
    # 1 of blog, and 5 of WAL
    assert next(card.covers for block in page.blocks if isinstance(block, Cards) for card in block.cards if card.name == "Limit") == (
        "4.0 GB left; 5.0 GB are no database"
    )


def test_a_session_that_does_not_exist_is_not_found(store: Database) -> None:
    with pytest.raises(NotFoundError):
        session_page(services_over(store), "00000000-0000-0000-0000-000000000000", "/dagster")


def test_the_current_page_is_named_in_the_navigation(store: Database) -> None:
    html = render_page(instances_page(store, None), Surroundings("/instances", {}, "Asia/Shanghai"))
    assert html.count('aria-current="page"') == 1
    assert set(dict(NAVIGATION)) <= set(Reader(html).links)
