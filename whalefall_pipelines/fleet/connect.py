"""Selects the adapter of an engine. A driver is imported when the first server of its engine is probed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import cast

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.environment import forget_driver_settings
from whalefall_pipelines.fleet.probe import Deadlines, Probe

# The adapter of an engine is the module `sizes` in the folder with the engine's name.
ADAPTERS: Mapping[Engine, str] = {engine: f"{__package__}.{engine}.sizes" for engine in Engine}

Connect = Callable[[Instance, Login, Deadlines, Watchdog], AbstractContextManager[Probe]]


class ServerFleet:
    """The real servers, reached over the network."""

    def __init__(self, deadlines: Deadlines | None = None, adapters: Mapping[Engine, str] = ADAPTERS) -> None:
        """Use the same deadlines for every probe."""
        forget_driver_settings()
        self._adapters = adapters
        self._deadlines = deadlines or Deadlines()
        self._watchdog = Watchdog()

    def connect(self, instance: Instance, login: Login, *, spent_seconds: float = 0) -> AbstractContextManager[Probe]:
        """Open one connection through the adapter of the instance's engine."""
        module = self._adapters.get(instance.engine)
        if module is None:
            raise InputError(
                f"{instance.name!r} is a server of {instance.engine}; this version can collect from {', '.join(self._adapters)} only."
            )
        try:
            connect = cast("Connect", import_module(module).connect)
        except ImportError as error:  # pyodbc needs libodbc.so.2, which is in no wheel; oracledb is an extra
            sentence = f"{instance.name!r} cannot be reached: the driver of {instance.engine} cannot be loaded on this machine ({error})."
            raise UnreachableError(sentence, reason=Reason.INTERNAL_ERROR) from error
        return connect(instance, login, self._deadlines.after(spent_seconds), self._watchdog)

    def shut_all(self) -> None:
        """Shut every open connection. Threads that wait on one get an error at once."""
        self._watchdog.shut_all()
