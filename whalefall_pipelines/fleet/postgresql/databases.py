"""One statement in every database of a PostgreSQL server: a session sees only its own, so that each takes a connection of its own.

The connections cost more than the statement (a SCRAM login takes tens of milliseconds), so a few are open at a time. A database that hangs
costs only itself.
"""

import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.postgresql.probe import opened_session
from whalefall_pipelines.fleet.probe import Deadlines

# Few, because servers allow about a hundred connections to everybody together.
PARALLEL = 4
# A server counts a connection for a moment after it was closed.
_LEAVING_SECONDS = 0.05
Rows = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class OtherDatabases:
    """The databases of a server besides the one that the probe is in. `begun` is the monotonic second at which the probe began."""

    instance: Instance
    login: Login
    deadlines: Deadlines
    watchdog: Watchdog
    begun: float

    def read(self, query: str, database_names: Sequence[str]) -> Generator[tuple[str, Rows | TargetError]]:
        """The rows of a statement in each database, or why there are none.

        What had no free connection (a login may have a limit of its own) is read once more at the end, one after the other.

        Raises:
            TargetError: the probe was cancelled.
        """
        busy: list[str] = []
        with ThreadPoolExecutor(PARALLEL) as pool:
            for name, outcome in zip(database_names, pool.map(partial(self._rows, query), database_names), strict=True):
                if isinstance(outcome, TargetError) and outcome.reason == Reason.CANCELLED:
                    pool.shutdown(cancel_futures=True)
                    raise outcome
                if isinstance(outcome, TargetError) and outcome.reason == Reason.UNAVAILABLE:
                    busy.append(name)
                else:
                    yield name, outcome
        for name in busy:
            time.sleep(_LEAVING_SECONDS)
            yield name, self._rows(query, name)

    def _rows(self, query: str, database_name: str) -> Rows | TargetError:
        deadlines = self.deadlines.after(time.monotonic() - self.begun)
        seconds = min(deadlines.instance_seconds, deadlines.connect_seconds + deadlines.statement_seconds)
        instance = replace(self.instance, default_database=database_name)
        try:
            with opened_session(instance, self.login, replace(deadlines, instance_seconds=seconds), self.watchdog) as session:
                return session.rows(query)
        except TargetError as error:
            return error
