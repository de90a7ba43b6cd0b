"""A day of servers that the centre cannot reach, as a person sees it: the schedule, Materialize, cancellation, and what the UI shows.

Network namespaces need root, so this is slow: CI, whose machine may forbid them, does not run it. What fails in zones is in
`faults/test_zones.py`.
"""

import time
from datetime import datetime
from datetime import time as clock_time
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines_tests.cli.trees import eventually
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.invariants import check_day, check_whole, take_snapshot
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.servers.postgresql import superuser
from whalefall_pipelines_tests.workers.installation import CENTRE, ZONES, Installation, Site, installation
from whalefall_pipelines_tests.workers.networks import require_networks

pytestmark = [pytest.mark.process, pytest.mark.slow]
TICK = """mutation($selector: ScheduleSelector!, $timestamp: Float) {
  scheduleDryRun(selectorData: $selector, timestamp: $timestamp) {
    __typename
    ... on DryRunInstigationTick { evaluationResult { runRequests { runKey tags { key value } } error { message } } }
  }
}"""
SHOWN = """query {
  assetNodeOrError(assetKey: {path: ["database_size_stats"]}) {
    ... on AssetNode {
      partitionStats { numMaterialized numFailed }
      assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
    }
  }
}"""
RUNS = """query {
  runsOrError(filter: {pipelineName: "collect_capacity"}) { ... on Runs { results { runId status tags { key value } } } }
}"""


def tagged(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in tags}


def runs(zones: Installation) -> dict[str | None, str]:
    """The status of the newest run of each zone."""
    listed = zones.up.ask(RUNS)["runsOrError"]["results"]
    return {tagged(run["tags"]).get("whalefall/zone"): run["status"] for run in reversed(listed)}


def sizes(site: Site) -> dict[str, int]:
    """What the server of a site says itself."""

    def ask() -> dict[str, int]:
        with superuser(site.server) as cursor:
            cursor.execute("select datname, pg_database_size(oid) from pg_database where not datistemplate")
            return dict(cursor.fetchall())

    return site.network.do(ask) if site.network else ask()


def cannot_reach(site: Site) -> bool:
    """Whether no PostgreSQL answers; a gateway may accept connections to any address."""
    try:
        psycopg2.connect(site.server.url(), connect_timeout=5).close()
    except psycopg2.OperationalError:
        return True
    return False


def test_a_day_of_servers_that_the_centre_cannot_reach(tmp_path: Path) -> None:
    require_networks()
    with installation(tmp_path) as zones:
        assert [zone for zone, site in zones.sites.items() if cannot_reach(site)] == list(ZONES)
        materialize_reaches_every_zone(zones)
        a_tick_is_a_run_for_each_zone(zones)
        the_day_looks_like_any_other(zones)
        a_cancelled_run_is_shown_as_cancelled(zones)


def materialize_reaches_every_zone(zones: Installation) -> None:
    """A run without a zone measures the centre, and a sensor requests the others."""
    assert zones.ended(zones.launch(None)) == ["SUCCESS"], zones.outputs()
    assert query(zones.store, "select distinct i.name from database_size_stats inner join instances as i using (instance_id)") == [
        (CENTRE,)
    ]
    assert eventually(lambda: runs(zones) == dict.fromkeys((None, *ZONES), "SUCCESS"), seconds=300), (runs(zones), zones.outputs())
    check_whole(zones.store, zones.day, zones.expected)


def a_tick_is_a_run_for_each_zone(zones: Installation) -> None:
    selector = {
        "repositoryLocationName": "whalefall_pipelines",
        "repositoryName": "__repository__",
        "scheduleName": "collect_every_night",
    }
    midnight = datetime.combine(zones.day, clock_time(), zones.store.timezone)  # the first tick after it is today's
    tick = zones.up.ask(TICK, {"selector": selector, "timestamp": midnight.timestamp()})["scheduleDryRun"]
    assert tick["__typename"] == "DryRunInstigationTick", tick
    requests = {request["runKey"]: tagged(request["tags"]) for request in tick["evaluationResult"]["runRequests"]}
    assert set(requests) == {f"{zones.day}:{zone}" for zone in zones.sites}
    assert {tags["whalefall/zone"] for tags in requests.values()} == set(zones.sites)
    before = take_snapshot(zones.store, zones.day)
    assert zones.ended(*[zones.launch_tagged(tags) for tags in requests.values()]) == ["SUCCESS"] * 3, zones.outputs()
    check_day(zones.store, zones.day, before)
    check_whole(zones.store, zones.day, zones.expected)
    for zone, site in zones.sites.items():
        of_zone = "select database_name, total_bytes from database_size_stats inner join instances using (instance_id) where name = %s"
        assert {str(name): size for name, size in query(zones.store, of_zone, zone)} == sizes(site)
    assert query(zones.store, "select count(distinct zone) from sync_sessions where status = 'completed'") == [(len(ZONES),)]


def the_day_looks_like_any_other(zones: Installation) -> None:
    node = zones.up.ask(SHOWN)["assetNodeOrError"]
    assert (node["partitionStats"]["numMaterialized"], node["partitionStats"]["numFailed"]) == (1, 0)
    day = str(zones.day)
    assert node["assetPartitionStatuses"]["ranges"] == [{"startKey": day, "endKey": day, "status": "MATERIALIZED"}]


def a_cancelled_run_is_shown_as_cancelled(zones: Installation) -> None:
    zone = ZONES[0]
    ((instance_id,),) = query(zones.store, "select instance_id from instances where name = %s", zone)
    with stopped_at(zones.store, Stop("database_size_stats", "insert", f"new.instance_id = {instance_id}")) as holder:
        run_id = zones.launch(zone)
        holder.wait_for_somebody(zones.outputs, seconds=240)
        begun = time.monotonic()
        zones.cancel(run_id)
        assert zones.ended(run_id) == ["CANCELED"], zones.outputs()
        print(f"cancelled in {time.monotonic() - begun:.1f} s")
    assert [status for _, status, _ in zones.sessions(run_id)] == ["cancelled"]
    assert zones.collect(zone) == ["SUCCESS"]  # the same worker executes the next run
