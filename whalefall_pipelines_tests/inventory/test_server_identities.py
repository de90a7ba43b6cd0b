"""Server identities in probes of a fake fleet: no server is counted twice, and no two are mixed in one day."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.capacity.store.retries import list_unrepaired
from whalefall_pipelines.domain.instances import ServerIdentity
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.switch_instances import accept_moved, accept_replicas, disable, enable
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server

PRIMARY = ServerIdentity("cluster", started_at="1")
REPLICA = ServerIdentity("cluster", is_replica=True, started_at="2")


class Fleet(FleetTest):
    """A fleet in which each instance has its own address and is read from the store again before each day."""

    def __post_init__(self) -> None:
        super().__post_init__()
        query(self.store, "update instances set port = instance_id returning 1")

    def next_day(self) -> dict[str, str]:
        """Collect another day; return the reason of every failed instance, and `measured` for the others."""
        self.now += timedelta(days=1)
        return self.today()

    def today(self) -> dict[str, str]:
        self.instances = active_instances(self.store)
        _, outcomes = self.collect(self.now.astimezone(self.timezone).date())
        return {name: getattr(outcome.error, "reason", "measured") for name, outcome in outcomes.items()}


def test_of_two_names_of_one_server_exactly_one_is_measured(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {name: server(identity=PRIMARY) for name in ("a", "b", "c")})
    outcomes = fleet.today()
    assert sorted(outcomes.values()) == ["duplicate_server", "duplicate_server", "measured"]
    measured = {name for name, outcome in outcomes.items() if outcome == "measured"}
    assert {name for name, _ in fleet.sizes()} == measured
    assert fleet.next_day() == outcomes


def test_a_failover_is_not_a_duplicate_and_raises_no_question(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {"a": server(identity=PRIMARY), "b": server(identity=REPLICA)})
    assert fleet.today() == {"a": "measured", "b": "measured"}
    fleet.servers["a"].identity = replace(REPLICA, started_at="3")  # rebuilt as a replica of the other
    fleet.servers["b"].identity = replace(REPLICA, is_replica=False)  # promoted without a restart
    assert fleet.next_day() == {"a": "measured", "b": "measured"}


def test_restarts_between_probes_raise_no_question(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {"a": server(identity=PRIMARY), "b": server(identity=REPLICA)})
    for start in range(10, 16, 2):
        assert fleet.next_day() == {"a": "measured", "b": "measured"}
        fleet.servers["a"].identity = replace(PRIMARY, started_at=str(start))
        fleet.servers["b"].identity = replace(REPLICA, started_at=str(start + 1))


@pytest.mark.parametrize("another", [ServerIdentity("other", started_at="9"), None])
def test_another_server_is_never_mixed_in_and_continues_after_it_is_accepted(
    store: Database, tmp_path: Path, another: ServerIdentity | None
) -> None:
    fleet = Fleet(store, tmp_path, {"a": server({"app": 1}, identity=PRIMARY, native_ids={"app": "5"})})
    fleet.today()
    before = fleet.sizes()
    fleet.servers["a"] = server({"app": 2, "strange": 3}, identity=another, native_ids={"app": "77", "strange": "5"}, version="Faker 2")
    assert fleet.today() == {"a": "another_server"}
    assert fleet.sizes() == before
    assert [retry.instance_names for retry in list_unrepaired(store, DAY)] == []
    accept_moved(store, ["a"])
    assert fleet.next_day() == {"a": "measured"}
    # The names decide, although the new server reuses an identifier of another database of the old one.
    assert query(store, "select database_name, is_active, native_id, renamed_from from instance_databases order by 1") == [
        ("app", True, "77", None),
        ("strange", True, "5", None),
    ]
    assert fleet.next_day() == {"a": "measured"}


def test_an_identity_that_cannot_be_read_any_more_is_unknown_and_no_other_one(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {"a": server({"app": 1}, identity=PRIMARY)})
    fleet.today()
    fleet.servers["a"].identity = None
    assert fleet.next_day() == {"a": "measured"}
    fleet.servers["a"].identity = ServerIdentity("other", started_at="9")
    assert fleet.next_day() == {"a": "another_server"}


def test_accepting_lets_the_retry_resume_the_day(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {"a": server({"app": 1}, identity=PRIMARY), "b": server({"app": 1}, identity=REPLICA)})
    fleet.today()
    fleet.servers["a"].identity = ServerIdentity("other")
    fleet.servers["b"].identity = replace(PRIMARY, started_at="1")
    fleet.now += timedelta(days=1)
    day = fleet.now.astimezone(fleet.timezone).date()
    assert fleet.today() == {"a": "another_server", "b": "duplicate_server"}
    assert list_unrepaired(store, day) == ()
    accept_moved(store, ["a"])
    accept_replicas(store, ["b"], is_replica=True)
    assert [retry.instance_names for retry in list_unrepaired(store, day)] == [("a", "b")]
    assert fleet.today() == {"a": "measured", "b": "measured"}


def test_a_mark_is_not_taken_away_while_it_is_needed_nor_a_second_name_enabled(store: Database, tmp_path: Path) -> None:
    fleet = Fleet(store, tmp_path, {"a": server(identity=PRIMARY), "b": server(identity=PRIMARY)})
    accept_replicas(store, ["b"], is_replica=True)
    assert fleet.today() == {"a": "measured", "b": "measured"}
    with pytest.raises(InputError, match="'b' is the same server as 'a'"):
        accept_replicas(store, ["b"], is_replica=False)
    disable(store, ["a"])
    accept_replicas(store, ["b"], is_replica=False)
    with pytest.raises(InputError, match="'a' is the same server as 'b'"):
        enable(store, ["a"])
    assert [instance.name for instance in active_instances(store)] == ["b"]
