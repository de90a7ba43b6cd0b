"""Another server behind a known name, and one server under two names: no run mixes or doubles them, and an answer completes the day."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext

import pytest
from psycopg2 import sql

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.cli.trees import Home, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.invariants import is_whole
from whalefall_pipelines_tests.faults.matrix import IDENTITIES, IDENTITIES_UNDER_THE_DAEMON
from whalefall_pipelines_tests.faults.scene import TARGET, Scene
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, RETRIED_SECONDS, SOON, scene_at
from whalefall_pipelines_tests.servers import postgresql
from whalefall_pipelines_tests.servers.running import running as up_for_the_block

pytestmark = pytest.mark.process
TWIN = "twin"
# Runs a `whalefall` command in the installation of the test.
Command = Callable[..., object]
Mend = Callable[[Command], None]


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Generator[PostgresCluster]:
    """An unregistered server, with a database that no other server has."""
    with up_for_the_block(postgresql.new_cluster(postgresql.MAJORS[-1], tmp_path_factory.mktemp("another"))) as cluster:
        postgresql.create_database(cluster, "strange")
        yield cluster


def exchange(scene: Scene, another: PostgresCluster) -> tuple[str, Mend]:
    """Another server answers at the address of the target and accepts the same login; a person enters the right address."""
    assert scene.target
    assert scene.proxy
    login, right = scene.target.login, scene.proxy
    with postgresql.superuser(another) as cursor:
        cursor.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(login.username)))
        statement = sql.SQL("create role {} login password {}")
        cursor.execute(statement.format(sql.Identifier(login.username), sql.Literal(login.password)))
    scene.set_address(another.host, another.port)

    def mend(_command: Command) -> None:
        query(
            scene.store,
            "update instances set host = %s, port = %s, updated_at = now() where name = %s returning 1",
            *(right.host, right.port, TARGET),
        )

    return TARGET, mend


def double(scene: Scene, _another: PostgresCluster) -> tuple[str, Mend]:
    """The target is registered a second time, without the proxy; a person says that it is another server."""
    assert scene.target
    query(
        scene.store,
        "insert into instances (name, engine, host, port, credential_id) "
        "select %s, engine, %s, %s, credential_id from instances where name = %s returning 1",
        *(TWIN, scene.target.host, scene.target.port, TARGET),
    )

    def mend(command: Command) -> None:
        command("instances", "accept", TWIN, "--replica")
        scene.expected[TWIN] = scene.expected[TARGET]

    return TWIN, mend


BREAKS = dict(zip((fault.name for fault in IDENTITIES), (exchange, double), strict=True))


@pytest.mark.parametrize(("fault", "engine"), parameters(IDENTITIES))
def test_a_run_neither_mixes_nor_doubles_servers(
    fault: Fault, engine: str, process_stage: ProcessStage, another: PostgresCluster, report: Report
) -> None:
    scene, installation = process_stage(engine)

    def work() -> None:
        name, mend = BREAKS[fault.name](scene, another)
        run = installation.start("collect")
        assert run.wait() == 1, run.output()
        assert fault.says in run.output()
        scene.find_session()
        scene.look_for(fault, name)
        mend(lambda *arguments: succeed(installation.environment, *arguments))

    report(fault, engine, scene.pass_through(nullcontext(), lambda: None, work))


@contextmanager
def daemon(home: Home) -> Generator[Callable[[], str]]:
    """`whalefall up` with a run of today; yields a function for its output. Afterwards only the store runs."""
    port = free_port()
    with running(home, port) as up:
        launch_collection(up, load_settings(home.environment))
        yield up.output
    home.succeed("store", "start")


@pytest.fixture
def at_home(prepared_home: Callable[..., Home], targets: Targets) -> Generator[tuple[Scene, Home]]:
    """A scene of real servers in the store of a home, where failed instances are retried after a minute."""
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with scene_at(home, targets) as scene:
        yield scene, home


@pytest.mark.parametrize(("fault", "engine"), parameters(IDENTITIES_UNDER_THE_DAEMON))
def test_the_daemon_resumes_the_day_after_a_person_has_answered(
    fault: Fault, engine: str, at_home: tuple[Scene, Home], another: PostgresCluster, report: Report
) -> None:
    scene, home = at_home

    def is_ended() -> bool:
        return query(scene.store, "select 1 from sync_sessions where status = 'failed' and run_id is not null") != []

    def is_healed() -> bool:
        is_idle = query(scene.store, "select 1 from sync_sessions where status = 'running'") == []
        return is_idle and is_whole(scene.store, scene.day, scene.expected)

    def work() -> None:
        name, mend = BREAKS[fault.name](scene, another)
        with daemon(home) as output:
            assert eventually(is_ended, seconds=ENDED_SECONDS), output()
            scene.find_session()
            scene.look_for(fault, name)
            mend(home.succeed)
            scene.mended_at = time.monotonic()
            assert eventually(is_healed, seconds=RETRIED_SECONDS), output()
            scene.healed_at = time.monotonic()

    report(fault, engine, scene.pass_through(nullcontext(), lambda: None, work))
