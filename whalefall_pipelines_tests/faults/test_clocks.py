"""Listings that only fake servers return, and clocks that jump during a run."""

from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from whalefall_pipelines.capacity.fill_gaps import fill_gaps
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query, server
from whalefall_pipelines_tests.faults.breaks import MANY
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import FAKE, Fault, parameters
from whalefall_pipelines_tests.faults.matrix import CLOCKS, GRACE, LISTINGS
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene

BERLIN, HAVANA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Havana")
# The time zone, the instant at which the run begins, and the instant to which the clock has jumped when the last server is probed.
JUMPS = {
    "midnight during a run": (TIMEZONE, datetime(2026, 11, 22, 15, 59, tzinfo=UTC), datetime(2026, 11, 22, 16, 5, tzinfo=UTC)),
    "month end during a run": (TIMEZONE, datetime(2026, 11, 30, 15, 59, tzinfo=UTC), datetime(2026, 11, 30, 16, 5, tzinfo=UTC)),
    "clocks go back during a run": (BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC)),
    "clocks go forward during a run": (BERLIN, datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 1, tzinfo=UTC)),
    "clocks skip midnight during a run": (HAVANA, datetime(2026, 3, 8, 4, 59, tzinfo=UTC), datetime(2026, 3, 8, 5, 1, tzinfo=UTC)),
    "clocks repeat midnight during a run": (HAVANA, datetime(2026, 11, 1, 3, 59, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
}


def many_listed(scene: Scene) -> AbstractContextManager[None]:
    names = {f"many_{number}": 1 for number in range(MANY)}
    scene.servers[TARGET].databases = names
    scene.expected[TARGET] = frozenset(names)
    return nullcontext()


@contextmanager
def none_listed(scene: Scene) -> Generator[None]:
    healthy = scene.servers[TARGET].databases
    scene.servers[TARGET].databases = {}
    yield
    scene.servers[TARGET].databases = healthy


@pytest.mark.parametrize(("fault", "engine"), parameters(LISTINGS))
def test_a_strange_listing_loses_nothing(fault: Fault, engine: str, store: Database, tmp_path: Path, report: Report) -> None:
    scene = Scene(store, tmp_path, {NEIGHBOUR: server(), TARGET: server({"app": 5, "crm": 6, "shop": 7})})
    broken = {"empty list of databases": none_listed, "ten thousand databases": many_listed}[fault.name]
    report(fault, engine, scene.pass_through(broken(scene), lambda: scene.look_for(fault)))


@pytest.mark.parametrize(("fault", "engine"), parameters(CLOCKS))
def test_a_clock_that_jumps_moves_no_size_to_another_day(
    fault: Fault, engine: str, store: Database, tmp_path: Path, report: Report
) -> None:
    timezone, begins_at, ends_at = JUMPS[fault.name]
    with closing(Database(store.url, timezone)) as local:
        scene = Scene(local, tmp_path, {NEIGHBOUR: server(), TARGET: server()}, timezone=timezone, now=begins_at, parallel=1)
        scene.day = begins_at.astimezone(timezone).date()

        @contextmanager
        def jumping() -> Generator[None]:
            scene.servers[TARGET].on_probe = lambda _: setattr(scene, "now", ends_at)
            yield

        def look() -> None:
            scene.look_for(fault)
            assert query(local, "select distinct tableoid::regclass::text from database_size_stats where stat_date = %s", scene.day) == [
                (f"database_size_stats_{scene.day:%Y_%m}",)
            ]

        report(fault, engine, scene.pass_through(jumping(), look))


@pytest.mark.faults
def test_a_grace_period_that_ends_during_a_run_leaves_a_gap_that_is_interpolated_and_never_todays_bytes(
    store: Database, tmp_path: Path, report: Report
) -> None:
    """A server that was not reached in time can no longer be measured; the day is interpolated from its neighbours and flagged."""
    scene = Scene(store, tmp_path, {NEIGHBOUR: server({"app": 1000}), TARGET: server({"app": 1000})}, parallel=1)
    scene.collect_the_day_before()
    scene.now = datetime(2026, 11, 22, 17, 59, tzinfo=UTC)  # 01:59 of the 23rd in Shanghai
    scene.servers[NEIGHBOUR].on_probe = lambda _: setattr(scene, "now", scene.now + timedelta(minutes=2))
    scene.run(scene.day)
    seen = scene.seen()
    assert (seen.code, seen.reasons) == (GRACE.code, {Reason.NOT_COLLECTED})
    assert GRACE.says in seen.sentence
    tomorrow = scene.day + timedelta(days=1)
    scene.servers[TARGET].databases = {"app": 3000}
    scene.servers[NEIGHBOUR].on_probe = None
    scene.run(tomorrow)
    fill_gaps(scene.collector(), scene.instances, [scene.day], scene.session_id, lambda _: None)
    rows = query(
        store,
        "select i.name, s.stat_date, s.total_bytes, s.provenance from database_size_stats as s "
        "inner join instances as i using (instance_id) where i.name = 'target' order by stat_date",
    )
    assert rows == [
        (TARGET, date(2026, 11, 21), 1000, "measured"),
        (TARGET, scene.day, 2000, "estimated"),
        (TARGET, tomorrow, 3000, "measured"),
    ]
    report(GRACE, FAKE, None)
