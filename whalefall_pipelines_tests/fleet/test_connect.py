"""How an engine gets its adapter, and what a fifth one takes."""

from pathlib import Path

import pytest

from whalefall_pipelines.domain.capacity import Reason
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance, Login
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet.connect import ADAPTERS, ServerFleet
from whalefall_pipelines.services.examine_instance import Examiner
from whalefall_pipelines.settings import load
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import register

LOGIN = Login("monitor", "secret")


def instance(engine: Engine) -> Instance:
    return Instance(1, "target", engine, "127.0.0.1", 1, "monitor")


def test_a_new_engine_is_one_module_and_one_line(store: Database, tmp_path: Path) -> None:
    """It takes Oracle's place here: the name of an engine is also in the store's schema, in `Engine` and in the default filters."""
    fleet = ServerFleet(adapters={**ADAPTERS, Engine.ORACLE: "whalefall_pipelines_tests.fleet.toy_engine"})
    examiner = Examiner(store, fleet, SecretBox(load({"WHALEFALL_HOME": str(tmp_path)})), {Engine.ORACLE: DatabaseFilter()}, 1)
    (one,) = examiner.examine_all(register(store, "toy", engine=Engine.ORACLE))
    assert (one.server_version, one.driver, one.measurable, one.total_bytes, one.is_fine) == ("Toy 1", "toy", 2, 42, True)


def test_an_engine_without_an_adapter_is_refused_by_a_sentence() -> None:
    with pytest.raises(InputError, match="is a oracle server") as caught, ServerFleet(adapters={}).connect(instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert "secret" not in str(caught.value)


def test_a_driver_that_cannot_be_loaded_is_this_machines_fault() -> None:
    fleet = ServerFleet(adapters={Engine.ORACLE: "whalefall_pipelines_tests.fleet.no_such_module"})
    with pytest.raises(UnreachableError, match="cannot be loaded on this machine") as caught, fleet.connect(instance(Engine.ORACLE), LOGIN):
        raise AssertionError("connected")
    assert caught.value.reason is Reason.INTERNAL_ERROR
