"""An adapter as somebody would write it, for a server that is an SQLite file; the default database of an instance is its path.

`cli/test_fifth_engine.py` copies it into `fleet/` as `toybox.py`, and the statements beside it into `sql/probes/toybox/`.
"""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sizes import SizesDefaults, SizesProbe


class ToyboxProbe(SizesDefaults):
    server_version = "Toybox 1"
    driver = f"sqlite3 {sqlite3.sqlite_version}"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def identity(self) -> ServerIdentity | None:
        return None

    def privileges(self) -> Sequence[Privilege]:
        return ()

    def list_databases(self) -> Mapping[str, str | None]:
        return {name: None for (name,) in self._connection.execute(queries.load("probes/toybox/list_databases"))}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        sizes = dict(self._connection.execute(queries.load("probes/toybox/measure_databases")).fetchall())
        return [
            DatabaseSize(name, sizes[name], "shelf_length")
            if sizes.get(name) is not None
            else MissingSize(name, Reason.NO_PERMISSION, f"OPEN {name};")
            for name in database_names
        ]


@contextmanager
def connect(instance: Instance, _login: Login, deadlines: Deadlines, _watchdog: Watchdog) -> Generator[SizesProbe]:
    try:
        connection = sqlite3.connect(f"file:{instance.default_database}?mode=ro", uri=True, timeout=deadlines.connect_seconds)
    except sqlite3.Error as error:
        raise UnreachableError(f"There is no toybox at {instance.default_database}.", reason=Reason.CONNECTION_REFUSED) from error
    with closing(connection):
        yield ToyboxProbe(connection)
