"""Selects the adapter of a question and an engine. A driver is imported when the first server of its engine is probed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import cast

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.zones import ONLY_CENTRE, Zones, name_of
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.environment import forget_driver_settings
from whalefall_pipelines.fleet.probe import Deadlines, P_co, Question

Connect = Callable[[Instance, Login, Deadlines, Watchdog], AbstractContextManager[P_co]]


class ServerFleet:
    """The real servers of the zones that this process reaches, over the network."""

    def __init__(self, deadlines: Deadlines | None = None, reached: Zones = ONLY_CENTRE) -> None:
        """Use the same deadlines for every probe."""
        forget_driver_settings()
        self._reached = reached
        self._deadlines = deadlines or Deadlines()
        self._watchdog = Watchdog()

    def connect(
        self, question: Question[P_co], instance: Instance, login: Login, *, spent_seconds: float = 0
    ) -> AbstractContextManager[P_co]:
        """Open one connection through the adapter for this question in the folder of the instance's engine.

        Raises:
            UnreachableError: the server is in a zone that this process does not reach, or no driver for it can be loaded.
        """
        if instance.zone not in self._reached:
            sentence = f"{instance.name!r} is in zone {name_of(instance.zone)}, which this process does not reach (WHALEFALL_ZONES)."
            raise UnreachableError(sentence, reason=Reason.INTERNAL_ERROR)
        module = f"{__package__}.{instance.engine}.{question.name}"
        try:
            connect = cast("Connect[P_co]", import_module(module).connect)
        except ImportError as error:  # pyodbc needs libodbc.so.2, which is in no wheel; oracledb is an extra
            if error.name == module:
                sentence = f"{instance.name!r} runs {instance.engine}; this version cannot read its {question.name}."
                raise InputError(sentence) from error
            sentence = f"{instance.name!r} cannot be reached: the driver of {instance.engine} cannot be loaded on this machine ({error})."
            raise UnreachableError(sentence, reason=Reason.INTERNAL_ERROR) from error
        return connect(instance, login, self._deadlines.after(spent_seconds), self._watchdog)

    def shut_all(self) -> None:
        """Shut every open connection. Threads that wait on one get an error at once."""
        self._watchdog.shut_all()
