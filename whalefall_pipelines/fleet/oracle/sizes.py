"""Oracle Database through python-oracledb in thin mode (the extra `oracle`). A "database" is a tablespace; sizes are allocated files.

It was never run against a real Oracle server: the driver, its login, time-outs, TLS, errors and the logic of the statements are tested
against the server in `whalefall_pipelines_tests/servers/oracle/`, which implements the protocol that the driver expects and has the
documented dictionary. One probe covers one container: each PDB is registered as an instance of its own, by its service (default_database
in the store), and the version names the container. No view shows the length of a file to a login without privileges: user_tablespaces
and user_segments show only the login's own segments and not the tablespace. Such a login is refused with the missing grants, because its
sizes would be too small.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize, RecoveredSize, SharedPart, Volume
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.histories import bounds, last_of_each_day
from whalefall_pipelines.fleet.oracle.privileges import HISTORY, IDENTIFIERS, LISTING, SHARED, USED, VOLUMES
from whalefall_pipelines.fleet.oracle.probe import OracleProbe, decode_name, opened_connection
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sizes import SizesDefaults, SizesProbe

_SHARED_PARTS = ("redo", "standby_redo", "control_files")
# Each list of files with the statement that measures by it.
_FILES = {"dba_data_files": "probes/oracle/measure_data_files", "dba_temp_files": "probes/oracle/measure_temp_files"}


class OracleSizes(OracleProbe, SizesDefaults):
    """An open connection that measures tablespaces."""

    def privileges(self) -> Sequence[Privilege]:
        """What this adapter asks for."""
        return self._privileges.privileges()

    def list_databases(self) -> Mapping[str, str | None]:
        """Every tablespace of the container, with its identifiers where the login may see them.

        Raises:
            SizesError: the login sees none but its own.
        """
        self._require(LISTING)
        names = [decode_name(text, name_bytes) for text, name_bytes in self._rows("probes/oracle/list_databases")]
        identifiers = {
            decode_name(text, name_bytes): f"{number}" if change is None else f"{number}/{change}"
            for text, name_bytes, number, change in self._optional_rows("probes/oracle/list_identifiers", *IDENTIFIERS)
        }
        return {name: identifiers.get(name) for name in names}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement for each kind of files, and what is in use by one more."""
        self._require(LISTING)
        unseen = self._privileges.missing(*_FILES)
        allowed = [query for view, query in _FILES.items() if view not in unseen]
        rows = {decode_name(text, name_bytes): values for query in allowed for text, name_bytes, *values in self._rows(query)}
        used = {
            decode_name(text, name_bytes): _number(used_bytes)
            for text, name_bytes, used_bytes in self._optional_rows("probes/oracle/sum_used_space", USED)
        }
        # What is in no list of files that may be read is in one that may not.
        absent = (
            (Reason.NO_PERMISSION, self._privileges.grants(*unseen))
            if unseen
            else (Reason.VANISHED, "dropped between listing and measuring")
        )
        return [
            _outcome(name, *rows[name], used_bytes=used.get(name)) if name in rows else MissingSize(name, *absent)
            for name in database_names
        ]

    def measure_shared(self) -> Sequence[SharedPart]:
        """Redo logs and control files; a PDB has none of its own."""
        if not self._privileges.is_whole_database:
            return [SharedPart(part, 0) for part in _SHARED_PARTS]
        rows = self._optional_rows("probes/oracle/list_shared_space", *SHARED)
        if rows:
            return [SharedPart(str(part), _number(total) or 0) for part, total in rows]
        why = self._privileges.grants(*self._privileges.missing(*SHARED)) or "the server refused the statement"
        return [SharedPart(part, None, why) for part in _SHARED_PARTS]

    def measure_volumes(self) -> Sequence[Volume]:
        """The disk groups of ASM, where there are any."""
        return [_volume(*row) for row in self._optional_rows("probes/oracle/list_volumes", *VOLUMES)]

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        """What AWR's last snapshot of each day says. Only for those who hold its licence: see `engines_with_history`.

        Raises:
            SizesError: AWR may not be read.
        """
        self._require(LISTING, *HISTORY)
        rows = self._rows("probes/oracle/list_snapshots", bounds(first_day, last_day, timezone))
        return last_of_each_day((_recovered(row, timezone) for row in rows), database_names)


def _outcome(
    name: str, file_bytes: object, limit_bytes: object, file_count: object, unsized_count: object, *, used_bytes: int | None
) -> DatabaseSize | MissingSize:
    if not file_count:
        return MissingSize(name, Reason.INCOMPLETE, "the server lists no files of it")
    size = _number(file_bytes)
    if unsized_count or size is None:
        files = f"of its {counted(_number(file_count) or 0, 'file')}"
        unsized = counted(
            _number(unsized_count) or 0,
            f"{files} is offline or missing, and reports no size",
            f"{files} are offline or missing, and report no size",
        )
        return MissingSize(name, Reason.INCOMPLETE, unsized)
    limit = _number(limit_bytes)
    return DatabaseSize(name, size, Method.DBA_DATA_FILES, data_bytes=size, growth_limit_bytes=limit, used_bytes=used_bytes)


def _recovered(row: tuple[object, ...], timezone: ZoneInfo) -> RecoveredSize:
    text, name_bytes, at, file_bytes, limit_bytes, used_bytes = row
    recorded_at, size = cast("datetime", at).replace(tzinfo=UTC), int(str(file_bytes))
    return RecoveredSize(
        decode_name(text, name_bytes),
        recorded_at.astimezone(timezone).date(),
        total_bytes=size,
        data_bytes=size,
        log_bytes=None,
        method=Method.DBA_HIST_TBSPC_SPACE_USAGE,
        recorded_at=recorded_at,
        growth_limit_bytes=_number(limit_bytes),
        used_bytes=_number(used_bytes),
    )


def _volume(name: object, total_mebibytes: object, copies: object, usable_mebibytes: object) -> Volume:
    """A disk group as what files may take of it: mirrored ones take the room of every copy."""
    total = (_number(total_mebibytes) or 0) // (_number(copies) or 1)
    free = min(max(_number(usable_mebibytes) or 0, 0), total)
    return Volume(str(name), total << 20, free << 20)


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[SizesProbe]:
    """Open a connection that measures tablespaces."""
    with opened_connection(instance, login, deadlines, watchdog) as (connection, watch):
        yield OracleSizes(connection, instance, watch)
