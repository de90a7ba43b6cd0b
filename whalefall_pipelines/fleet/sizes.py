"""The question how large the databases of a server are, and the Protocol of its adapters (`<engine>/sizes.py`)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, RecoveredSize, SharedPart, Volume
from whalefall_pipelines.fleet.probe import Probe, Question


class SizesProbe(Probe, Protocol):
    """An open connection that measures databases."""

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database of the server by name, system databases included, with the server's own identifier of it.

        The identifier survives a rename and changes if the database is dropped and created again; None if the engine has none.
        """
        ...

    def grant_to_list(self) -> str | None:
        """The GRANT statement without which the listing may be incomplete; None if it is complete."""
        ...

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """One outcome for each of these databases, in any order, by as few statements as the engine allows."""
        ...

    def measure_shared(self) -> Sequence[SharedPart]:
        """The bytes on the server's disk that belong to no database, by parts; nothing if the engine tells none of them."""
        ...

    def measure_volumes(self) -> Sequence[Volume]:
        """The volumes on which files of the server are; nothing if the engine or the login's privileges do not tell."""
        ...

    def recover_sizes(
        self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo, /
    ) -> Sequence[RecoveredSize]:
        """The sizes of these databases on these days in this time zone from the server's own history, at most one per database and day.

        Days without a record have no row; an engine without a history returns nothing.
        """
        ...


SIZES: Question[SizesProbe] = Question("sizes")


class SizesDefaults:
    """Defaults that an adapter may override: complete listings, unknown shared space and volumes, no history."""

    def grant_to_list(self) -> str | None:
        """None: an incomplete listing raises an error instead."""
        return None

    def measure_shared(self) -> Sequence[SharedPart]:
        """Nothing."""
        return ()

    def measure_volumes(self) -> Sequence[Volume]:
        """Nothing: PostgreSQL and MySQL do not know the disk that they are on."""
        return ()

    def recover_sizes(self, _names: Sequence[str], _first_day: date, _last_day: date, _timezone: ZoneInfo, /) -> Sequence[RecoveredSize]:
        """Nothing."""
        return ()
