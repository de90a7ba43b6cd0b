"""How an engine gets its adapter. What a fifth one takes is `cli/test_fifth_engine.py`."""

from pathlib import Path

import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import Reason
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet import probe
from whalefall_pipelines.fleet.connect import ServerFleet

LOGIN = Login("monitor", "secret")


def instance(engine: Engine) -> Instance:
    return Instance(1, "target", engine, "127.0.0.1", 1, "monitor")


def test_every_engine_has_an_adapter_and_statements_of_its_name() -> None:
    for engine in Engine:
        assert (Path(probe.__file__).parent / f"{engine}.py").exists()
        assert list((queries.SQL_ROOT / "probes" / engine).glob("*.sql"))


def test_an_engine_without_an_adapter_is_refused_by_a_sentence() -> None:
    with pytest.raises(InputError, match="is a oracle server") as caught, ServerFleet(adapters={}).connect(instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert "secret" not in str(caught.value)


def test_a_driver_that_cannot_be_loaded_is_this_machines_fault() -> None:
    fleet = ServerFleet(adapters={Engine.ORACLE: "whalefall_pipelines_tests.fleet.no_such_module"})
    with pytest.raises(UnreachableError, match="cannot be loaded on this machine") as caught, fleet.connect(instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert caught.value.reason is Reason.INTERNAL_ERROR
