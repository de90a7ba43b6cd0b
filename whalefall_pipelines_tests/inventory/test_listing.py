"""Filters and the check for a suddenly tiny listing, as rules that hold for any listing."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, DatabaseFilter, Engine, engines_with_history
from whalefall_pipelines.inventory.listing import InventoryEntry, compare_inventory

DAY = date(2026, 11, 22)
NAMES = st.sampled_from([f"db{number}" for number in range(12)])
INVENTORIES = st.dictionaries(NAMES, st.tuples(st.booleans(), st.sampled_from([None, DAY - timedelta(days=1), DAY])))


def entries(inventory: dict[str, tuple[bool, date | None]]) -> list[InventoryEntry]:
    return [InventoryEntry(name, active, since if active else None) for name, (active, since) in inventory.items()]


def nameless(names: set[str]) -> dict[str, str | None]:
    """A listing of an engine without identifiers."""
    return dict.fromkeys(names)


@given(INVENTORIES, st.sets(NAMES), st.sets(NAMES))
def test_every_name_ends_in_exactly_one_place(inventory: dict[str, tuple[bool, date | None]], listed: set[str], hidden: set[str]) -> None:
    listed -= hidden
    change = compare_inventory(entries(inventory), nameless(listed), DAY, hidden)
    parts = [change.created, change.refreshed, change.reactivated, change.deactivated, change.held]
    names = [name for part in parts for name in part]
    assert len(names) == len(set(names))
    assert {database.database_name for database in change.listed} == listed
    active = {name for name, (is_active, _) in inventory.items() if is_active}
    assert set(change.deactivated) | set(change.held) | set(change.refreshed) == active


@given(INVENTORIES, st.sets(NAMES))
def test_an_empty_or_tiny_listing_deactivates_nothing_that_was_not_absent_before(
    inventory: dict[str, tuple[bool, date | None]], listed: set[str]
) -> None:
    known = entries(inventory)
    active = {entry.database_name for entry in known if entry.is_active}
    gone = active - listed
    change = compare_inventory(known, nameless(listed), DAY)
    if gone and (not listed or (len(active) >= 4 and len(gone) > len(active) / 2)):
        confirmed = {entry.database_name for entry in known if entry.absent_since_date and entry.absent_since_date < DAY}
        assert set(change.deactivated) == gone & confirmed
    else:
        assert set(change.deactivated) == gone
        assert change.held == ()


@given(INVENTORIES, st.sets(NAMES), st.sets(NAMES))
def test_databases_hidden_by_a_filter_leave_at_once_and_do_not_trigger_the_inventory_check(
    inventory: dict[str, tuple[bool, date | None]], listed: set[str], hidden: set[str]
) -> None:
    change = compare_inventory(entries(inventory), nameless(listed - hidden), DAY, hidden)
    assert not set(change.held) & hidden


IDS = st.permutations([str(number) for number in range(6)])
SERVERS = st.builds(lambda names, ids: dict(zip(sorted(names), ids, strict=False)), st.sets(NAMES, max_size=6), IDS)


@given(st.lists(SERVERS, min_size=2, max_size=6))
def test_a_database_is_known_by_its_identifier_whatever_its_name(servers: list[dict[str, str]]) -> None:
    """A model that follows only identifiers: a known one under another name is a rename, an unknown one is a new database."""
    known: dict[str, InventoryEntry] = {}
    seen: set[str] = set()
    for yesterday, server in zip([dict[str, str](), *servers], servers, strict=False):
        change = compare_inventory(known.values(), server, DAY)
        name_yesterday = {native_id: name for name, native_id in yesterday.items()}
        for database in change.listed:
            assert database.native_id is not None
            if database.native_id in name_yesterday:
                assert database.predecessor == name_yesterday[database.native_id]
            elif database.native_id not in seen:
                assert database.predecessor is None
        seen |= set(server.values())
        known = {name: InventoryEntry(name, name in server, None, server.get(name, entry.native_id)) for name, entry in known.items()} | {
            name: InventoryEntry(name, is_active=True, native_id=native_id) for name, native_id in server.items()
        }


def test_databases_that_swap_their_names_are_two_renames() -> None:
    known = [InventoryEntry("blue", is_active=True, native_id="1"), InventoryEntry("green", is_active=True, native_id="2")]
    change = compare_inventory(known, {"blue": "2", "green": "1"}, DAY)
    assert change.renamed == {"blue": "green", "green": "blue"}
    assert (change.left_names, change.deactivated, change.held, change.created) == ((), (), (), ())


@given(st.sets(NAMES), st.sets(NAMES))
def test_a_database_hidden_from_the_login_is_not_dropped(known: set[str], listed: set[str]) -> None:
    inventory = [InventoryEntry(name, is_active=True, absent_since_date=DAY - timedelta(days=1)) for name in known]
    change = compare_inventory(inventory, nameless(listed), DAY, is_partial=True)
    assert set(change.unseen) == known - listed
    assert (change.deactivated, change.held) == ((), ())


def test_an_identifier_that_is_told_for_the_first_time_makes_no_new_database() -> None:
    change = compare_inventory([InventoryEntry("shop", is_active=True)], {"shop": "16384"}, DAY)
    assert (change.refreshed, change.recreated) == (("shop",), ())


@given(st.text(max_size=8))
def test_a_pattern_without_wildcards_is_an_exact_name(name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rule = DatabaseFilter(patterns=(escaped,))
    assert rule.hides(name)
    assert not rule.hides(name + "x")


@given(st.text(max_size=6), st.text(max_size=6))
def test_percent_stands_for_anything_and_underscore_for_one(head: str, tail: str) -> None:
    escaped = head.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    assert DatabaseFilter(patterns=(escaped + "%",)).hides(head + tail)
    assert DatabaseFilter(patterns=(escaped + "_",)).hides(head + tail) == (len(tail) == 1)


def test_shipped_filters_hide_only_what_belongs_to_the_server() -> None:
    assert not SYSTEM_DATABASES[Engine.POSTGRESQL].hides("postgres")
    assert not SYSTEM_DATABASES[Engine.POSTGRESQL].hides("pg_bench")
    assert not SYSTEM_DATABASES[Engine.POSTGRESQL].hides("Template1")
    assert SYSTEM_DATABASES[Engine.POSTGRESQL].hides("template1")
    assert not SYSTEM_DATABASES[Engine.ORACLE].hides("USERS")
    assert set(SYSTEM_DATABASES) == set(Engine)


def test_an_engine_is_found_by_its_name_and_knows_the_rest() -> None:
    assert Engine("sqlserver") is Engine.SQLSERVER
    assert [engine.default_port for engine in Engine] == [5432, 3306, 1433, 1521]
    assert {f"{engine}": engine for engine in Engine}["oracle"] is Engine.ORACLE


def test_awr_is_a_history_only_for_those_who_hold_its_licence() -> None:
    assert engines_with_history(awr_licensed=False) == {Engine.SQLSERVER}
    assert engines_with_history(awr_licensed=True) == {Engine.SQLSERVER, Engine.ORACLE}
