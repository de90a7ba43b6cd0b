"""How an engine gets its adapter. How to add a fifth engine is tested in `cli/test_fifth_engine.py`."""

import os
import resource
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet import probe
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Probe, Question
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines_tests.servers.dead_host import silent_host
from whalefall_pipelines_tests.servers.oracle.targets import unload_driver
from whalefall_pipelines_tests.servers.probes import SECRET, failure

LOGIN = Login("monitor", "secret")


def instance(engine: Engine) -> Instance:
    return Instance(1, "target", engine, "127.0.0.1", 1, "monitor")


def test_every_engine_has_an_adapter_and_statements_of_its_name() -> None:
    for engine in Engine:
        assert (Path(probe.__file__).parent / engine / "sizes.py").exists()
        assert list((queries.SQL_ROOT / "probes" / engine).glob("*.sql"))


def test_a_question_without_an_adapter_is_refused_by_a_sentence() -> None:
    horoscopes: Question[Probe] = Question("horoscopes")
    refusal = pytest.raises(InputError, match="runs oracle; this version cannot read its horoscopes")
    with refusal as caught, ServerFleet().connect(horoscopes, instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert "secret" not in str(caught.value)


def test_a_driver_that_cannot_be_loaded_is_a_fault_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    unload_driver(monkeypatch)
    refusal = pytest.raises(UnreachableError, match="cannot be loaded on this machine")
    with refusal as caught, ServerFleet().connect(SIZES, instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert caught.value.reason is Reason.INTERNAL_ERROR


@contextmanager
def no_descriptor_left() -> Generator[None]:
    """All file descriptors of this process are in use, as in a container with a low limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as taken:
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 2, hard))  # noqa: PTH208 - numbers
        with suppress(OSError):
            while True:
                taken.callback(os.close, os.open("/dev/null", os.O_RDONLY))
        yield


@pytest.mark.parametrize("engine", [Engine.POSTGRESQL, Engine.MYSQL, Engine.ORACLE])
def test_a_machine_without_free_sockets_is_not_a_fault_of_the_server(engine: Engine) -> None:
    fleet, login = ServerFleet(Deadlines(2, 2, 2)), Login("monitor", SECRET)
    with silent_host() as host:
        instance = Instance(1, "target", engine, host.host, host.port, login.username)
        with (
            failure(Reason.TIMEOUT, UnreachableError),
            fleet.connect(SIZES, instance, login),
        ):  # once beforehand, because drivers open files on first use
            pass
        with no_descriptor_left(), failure(Reason.INTERNAL_ERROR, UnreachableError), fleet.connect(SIZES, instance, login):
            pass
