"""The servers of the matrix, and the table at the end of its run: fault, engine, outcome, seconds to recover."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import server
from whalefall_pipelines_tests.faults.fault import FAKE, NOTHING, POSTGRESQL, Fault
from whalefall_pipelines_tests.faults.processes import Installation, installation, make_dagster_template
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, Scene
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

Report = Callable[[Fault, str, float | None], None]
Stage = Callable[[str], Scene]


class ProcessStage(Protocol):
    """Makes a scene of real servers only: the server of `engine` under fault, and a neighbour of another engine."""

    def __call__(self, engine: str, neighbour: str = POSTGRESQL) -> tuple[Scene, Installation]: ...


PROPERTY = "fault"


@pytest.fixture(scope="session")
def targets() -> Iterator[Targets]:
    """The servers under fault of this worker; in memory where there is a tmpfs, because ten thousand tables are many files."""
    memory = Path("/dev/shm")  # noqa: S108 - that is its name
    with tempfile.TemporaryDirectory(prefix="whalefall-faults-", dir=memory if memory.is_dir() else None) as folder:
        started = Targets(Path(folder))
        yield started
        started.stop()


@pytest.fixture
def stage(store: Database, tmp_path: Path, targets: Targets) -> Iterator[Stage]:
    """Makes the scene of a test: the server of an engine behind a proxy, and a neighbour; for `fake` the neighbour alone."""
    with ExitStack() as stack:

        def make(engine: str) -> Scene:
            servers = {NEIGHBOUR: server({"app": 1000, "shop": 2000})}
            if engine == FAKE:
                scene = Scene(store, tmp_path, servers)
            else:
                target = targets.of(engine)
                proxy = stack.enter_context(ChaosProxy(target.host, target.port))
                scene = Scene(store, tmp_path, servers, target=target, proxy=proxy)
            stack.enter_context(scene.afterwards)
            return scene

        yield make


@pytest.fixture(scope="session")
def dagster_template(postgres_server: PostgresCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with Dagster's tables."""
    return make_dagster_template(postgres_server, tmp_path_factory.mktemp("dagster"))


@pytest.fixture
def process_stage(
    store: Database, tmp_path: Path, targets: Targets, postgres_server: PostgresCluster, dagster_template: str
) -> Iterator[ProcessStage]:
    """Makes a scene of real servers only, for today, and the installation in which `whalefall` collects from them."""
    with ExitStack() as stack:

        def make(engine: str, neighbour: str = POSTGRESQL) -> tuple[Scene, Installation]:
            made = stack.enter_context(installation(postgres_server, dagster_template, store, tmp_path))
            target = targets.of(engine)
            proxy = stack.enter_context(ChaosProxy(target.host, target.port))
            now = datetime.now(UTC)
            day = today(now, TIMEZONE)
            scene = Scene(store, made.home, {}, target=target, proxy=proxy, neighbour=targets.of(neighbour), now=now, day=day, parallel=1)
            stack.enter_context(scene.afterwards)
            return scene, made

        yield make


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Records the row of a tested fault for the table."""

    def take(fault: Fault, engine: str, seconds: float | None) -> None:
        shown = "–" if fault.heals == NOTHING or seconds is None else f"{seconds:.1f}"
        record_property(PROPERTY, [fault.name, engine, fault.outcome, shown])

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table. Workers send their rows with their reports, so this has all of them."""
    passed = terminalreporter.getreports("passed")
    rows = [
        value for test_report in passed if test_report.when == "call" for name, value in test_report.user_properties if name == PROPERTY
    ]
    if not rows:
        return
    lines = [["fault", "engine", "outcome", "seconds to heal"], *sorted([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    terminalreporter.section("fault matrix")
    for line in lines:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    terminalreporter.write_line(f"{len(rows)} rows")
