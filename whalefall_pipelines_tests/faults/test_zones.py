"""Faults of workers in zones: what Dagster shows of a run is true, no other zone is affected, and the next run heals the day.

The rows share one installation: two zones in network namespaces, each with its server and its worker, and the centre. A row leaves it
as it was.
"""

import shutil
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg2
import pytest

from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.cli.trees import REPOSITORY, WHALEFALL, Home, eventually
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.invariants import Snapshot, check_invariants, is_whole, take_snapshot
from whalefall_pipelines_tests.faults.seams import Holder, Stop, stopped_at
from whalefall_pipelines_tests.faults.zone_matrix import ZONE_FAULTS
from whalefall_pipelines_tests.workers.clocks import skewed_clock
from whalefall_pipelines_tests.workers.installation import CENTRE, RUN_SECONDS, ZONES, Installation, Site, installation
from whalefall_pipelines_tests.workers.networks import require_networks

pytestmark = [pytest.mark.process, pytest.mark.slow]
NORTH, SOUTH = ZONES
# A dead session is noticed after a minute, a sensor looks every 30 s, and its tick takes long on a busy machine.
SWEPT_SECONDS = 240
AWAY_SECONDS = 30


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Generator[Installation]:
    """The installation, in which every zone has been visited and has sizes of the day before."""
    require_networks()
    with installation(tmp_path_factory.mktemp("zones")) as made:
        made.stop_sensor("refresh_aggregations")  # its runs are not what these rows are about, and nothing may run when a row ends
        # A run without a zone: afterwards the sensor of unvisited zones has nothing left to request.
        assert made.ended(made.launch(None)) == ["SUCCESS"], made.outputs()
        assert eventually(lambda: is_whole(made.store, made.day, made.expected) and not running(made), seconds=300), made.outputs()
        ensure_months(made.store, [made.day - timedelta(days=1)])
        for table in ("database_size_stats", "instance_size_stats"):
            shifted = "jsonb_populate_record(s, jsonb_build_object('stat_date', s.stat_date - 1))"
            query(made.store, f"insert into {table} select ({shifted}).* from {table} as s returning 1")
        yield made


def running(zones: Installation) -> list[tuple[object, ...]]:
    """The sessions that are running."""
    return query(zones.store, "select session_id from sync_sessions where status = 'running'")


def forget_the_day(zones: Installation) -> Snapshot:
    """Delete what was measured today, and return everything else. A row that failed may have left a session that has yet to be ended."""
    assert eventually(lambda: not running(zones), seconds=SWEPT_SECONDS)
    zones.wait_for_workers()
    for table in ("database_size_stats", "instance_size_stats", "capacity_gaps"):
        query(zones.store, f"delete from {table} where stat_date = %s returning 1", zones.day)
    before = take_snapshot(zones.store, zones.day)
    assert before.rows
    return before


@contextmanager
def in_the_middle(zones: Installation, *, of: str = NORTH) -> Generator[tuple[Holder, Mapping[str, str]]]:
    """Runs in all zones, by their zone; for the block, that of one zone stands before it writes its sizes. The others have ended."""
    ((instance_id,),) = query(zones.store, "select instance_id from instances where name = %s", of)
    with stopped_at(zones.store, Stop("database_size_stats", "insert", f"new.instance_id = {instance_id}")) as holder:
        run_ids = {zone: zones.launch(zone) for zone in zones.sites}
        holder.wait_for_somebody(zones.outputs, seconds=240)
        others = [run_ids[zone] for zone in zones.sites if zone != of]
        assert zones.ended(*others) == ["SUCCESS"] * len(others), zones.outputs()
        yield holder, run_ids


def has_failed(zones: Installation, run_id: str, fault: Fault) -> None:
    """Dagster shows the run as failed, and its session says why, whether the run opened it or a sensor did."""
    assert zones.ended(run_id, seconds=SWEPT_SECONDS) == ["FAILURE"], zones.outputs()
    assert eventually(lambda: zones.sessions(run_id), seconds=SWEPT_SECONDS), zones.outputs()
    ((_, status, code),) = zones.sessions(run_id)
    assert (status, code) == ("failed", fault.code)
    ((message,),) = query(zones.store, "select error_message from sync_sessions where run_id = %s", run_id)
    assert fault.says in str(message)


def others_are_measured(zones: Installation, run_ids: Mapping[str, str], zone: str) -> None:
    """The runs of the other zones have succeeded, and nothing of this zone is stored."""
    others = [other for other in zones.sites if other != zone]
    assert zones.ended(*[run_ids[other] for other in others]) == ["SUCCESS"] * len(others), zones.outputs()
    assert is_whole(zones.store, zones.day, {other: zones.expected[other] for other in others})


def kill_a_worker(zones: Installation, fault: Fault) -> None:
    with in_the_middle(zones) as (_, run_ids):
        zones.sites[NORTH].end_worker()
        has_failed(zones, run_ids[NORTH], fault)
    others_are_measured(zones, run_ids, NORTH)
    zones.sites[NORTH].start_worker()


def cut_off_a_zone(zones: Installation, fault: Fault) -> None:
    """Its worker has one slot, which must be free when the zone is back."""
    north = zones.sites[NORTH]
    assert north.network
    with other_worker(zones, north, (*WHALEFALL, "worker", "--runs", "1")):
        with in_the_middle(zones) as (holder, run_ids), north.network.cut_off():
            has_failed(zones, run_ids[NORTH], fault)
            holder.let_go()  # the store finds out that nobody listens any more
            time.sleep(1)
        others_are_measured(zones, run_ids, NORTH)
        assert zones.collect(NORTH) == ["SUCCESS"], zones.outputs()


def kill_redis(zones: Installation, fault: Fault) -> None:
    with in_the_middle(zones) as (holder, run_ids):
        zones.orders.kill()
        try:
            has_failed(zones, zones.launch(SOUTH), fault)
            holder.let_go()
            assert zones.ended(run_ids[NORTH]) == ["SUCCESS"], zones.outputs()
        finally:
            zones.orders.start()
    assert is_whole(zones.store, zones.day, zones.expected)


@contextmanager
def standing_still(site: Site) -> Generator[Callable[[], bool]]:
    """For the block, the server of a site answers logins, and lets a probe wait; the function tells whether one does.

    A statement of the store could not wait for so long.
    """
    assert site.network
    with closing(site.network.do(psycopg2.connect, site.server.url())) as connection, connection.cursor() as cursor:
        cursor.execute("lock table pg_tablespace in access exclusive mode")

        def is_waited_for() -> bool:
            cursor.execute("select count(*) from pg_locks where not granted and relation = 'pg_tablespace'::regclass")
            return bool((cursor.fetchone() or (0,))[0])

        yield is_waited_for


def empty_redis(zones: Installation, fault: Fault) -> None:
    south = zones.sites[SOUTH]
    with standing_still(zones.sites[NORTH]) as is_waited_for:
        run_ids = {zone: zones.launch(zone) for zone in zones.sites}
        assert zones.ended(run_ids[CENTRE], run_ids[SOUTH]) == ["SUCCESS"] * 2, zones.outputs()
        assert eventually(is_waited_for, seconds=RUN_SECONDS), zones.outputs()
        south.end_worker()
        waiting = zones.launch(SOUTH)
        assert eventually(lambda: zones.orders.client().llen(SOUTH) == 1, seconds=60), zones.outputs()
        zones.orders.forget()
        south.start_worker()
        has_failed(zones, waiting, fault)
        assert zones.status(run_ids[NORTH]) == "STARTED"  # for longer than its heartbeats may be missing
    assert zones.ended(run_ids[NORTH]) == ["SUCCESS"], zones.outputs()
    assert is_whole(zones.store, zones.day, zones.expected)


def deliver_three_times(zones: Installation, fault: Fault) -> None:
    south, client = zones.sites[SOUTH], zones.orders.client()
    south.end_worker()
    run_id = zones.launch(SOUTH)
    assert eventually(lambda: client.llen(SOUTH) == 1, seconds=60), zones.outputs()
    order = client.lindex(SOUTH, 0)
    client.lpush(SOUTH, order)
    south.start_worker()
    assert zones.ended(run_id) == ["SUCCESS"], zones.outputs()
    client.lpush(SOUTH, order)
    assert eventually(lambda: client.llen(SOUTH) == 0, seconds=60), zones.outputs()
    assert zones.collect(SOUTH) == ["SUCCESS"]
    assert zones.sessions(run_id) == [(SOUTH, "completed", None)]
    assert zones.status(run_id) == "SUCCESS"


def leave_a_zone_without_worker(zones: Installation, fault: Fault) -> None:
    zones.sites[SOUTH].end_worker()
    run_ids = {zone: zones.launch(zone) for zone in zones.sites}
    others_are_measured(zones, run_ids, SOUTH)
    has_failed(zones, run_ids[SOUTH], fault)
    zones.sites[SOUTH].start_worker()  # it takes up the order of the failed run first
    zones.wait_for_workers()
    assert zones.collect(SOUTH) == ["SUCCESS"], zones.outputs()
    assert zones.status(run_ids[SOUTH]) == "FAILURE"


def run_another_version(zones: Installation, fault: Fault) -> None:
    """The files of a worker are those of the next version, to whose schema the store was not migrated."""
    south = zones.sites[SOUTH]
    folder = south.home.folder.parent / "checkout"
    for name in ("whalefall_pipelines", "sql"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    with other_worker(zones, south, home=Home(south.home.folder, south.home.more, folder)):
        (folder / "sql" / "schema" / "9000_next.sql").write_text("select 1;\n")
        run_ids = {zone: zones.launch(zone) for zone in zones.sites}
        is_refused(zones, fault, run_ids, SOUTH, says="9000")


def run_in_another_zone(zones: Installation, fault: Fault) -> None:
    """The order of the north reaches the worker of the south, as after a mistake in a unit."""
    north, client = zones.sites[NORTH], zones.orders.client()
    north.end_worker()
    run_ids = {zone: zones.launch(zone) for zone in zones.sites}
    assert eventually(lambda: client.lmove(NORTH, SOUTH), seconds=60), zones.outputs()
    is_refused(zones, fault, run_ids, NORTH, says=f"the work is for {NORTH}, so nothing was connected")
    north.start_worker()


def skew_clocks(zones: Installation, fault: Fault) -> None:
    north, south = zones.sites[NORTH], zones.sites[SOUTH]
    wrong = skewed_clock(north.home.folder.parent)

    def skewed(site: Site, seconds: int) -> Home:
        return Home(site.home.folder, {**site.home.more, **wrong(seconds)})

    with other_worker(zones, north, home=skewed(north, 60)), other_worker(zones, south, home=skewed(south, -60)):
        with in_the_middle(zones) as (_, run_ids):
            time.sleep(10)  # two looks at the runs
            assert zones.status(run_ids[NORTH]) == "STARTED"
        assert zones.ended(*run_ids.values()) == ["SUCCESS"] * 3, zones.outputs()
    assert is_whole(zones.store, zones.day, zones.expected)


def stop_the_store(zones: Installation, fault: Fault) -> None:
    with stopped_at(zones.store, Stop("database_size_stats", "insert")) as holder:
        run_ids = {zone: zones.launch(zone) for zone in zones.sites}
        holder.wait_for_somebody(zones.outputs, seconds=240, runs=len(run_ids))
        zones.cluster.stop()
        time.sleep(AWAY_SECONDS)
        zones.cluster.start(with_parent=True)
    assert zones.ended(*run_ids.values()) == ["SUCCESS"] * len(run_ids), zones.outputs()
    assert is_whole(zones.store, zones.day, zones.expected)


@contextmanager
def other_worker(
    zones: Installation, site: Site, command: tuple[str, ...] = (*WHALEFALL, "worker"), *, home: Home | None = None
) -> Generator[None]:
    """For the block, this worker takes the place of the worker of a site, and listens."""
    site.end_worker()
    site.start_worker(command, home=home)
    try:
        zones.wait_for_workers()
        yield
    finally:
        site.end_worker()
        site.start_worker()


def is_refused(zones: Installation, fault: Fault, run_ids: Mapping[str, str], zone: str, *, says: str) -> None:
    """The run of a zone is refused before it connects to a server; the other zones are measured."""
    others_are_measured(zones, run_ids, zone)
    has_failed(zones, run_ids[zone], fault)
    assert says in zones.events(run_ids[zone])
    assert query(zones.store, "select 1 from capacity_gaps where stat_date = %s", zones.day) == []


ROWS: Mapping[str, Callable[[Installation, Fault], None]] = dict(
    zip(
        [fault.name for fault in ZONE_FAULTS],
        [
            kill_a_worker,
            cut_off_a_zone,
            kill_redis,
            empty_redis,
            deliver_three_times,
            leave_a_zone_without_worker,
            run_another_version,
            run_in_another_zone,
            skew_clocks,
            stop_the_store,
        ],
        strict=True,
    )
)


@pytest.mark.parametrize(("fault", "engine"), parameters(ZONE_FAULTS))
def test_a_fault_of_one_zone_is_healed_by_the_next_run(fault: Fault, engine: str, zones: Installation, report: Report) -> None:
    before = forget_the_day(zones)
    ROWS[fault.name](zones, fault)
    mended_at = time.monotonic()

    def again() -> None:
        zones.wait_for_workers()
        assert zones.collect() == ["SUCCESS"] * len(zones.sites), zones.outputs()

    check_invariants(zones.store, zones.day, before, zones.expected, again)
    report(fault, engine, time.monotonic() - mended_at)
