"""Sizes: measured, recovered and missing ones.

Bytes are integers; unknown is None, never 0. `capacity/store/sizes.py` writes sizes, `fleet/` measures them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from whalefall_pipelines.domain.reasons import Reason


class Provenance(StrEnum):
    """The origin of a stored number."""

    MEASURED = "measured"
    """The server was asked on that day, or within the grace period after midnight."""
    RECOVERED = "recovered"
    """It was read later from a history that the server keeps: backups of SQL Server, AWR of Oracle."""
    ESTIMATED = "estimated"
    """It was interpolated between known days. Only a recovered size replaces it."""


class Method(StrEnum):
    """The public `method` of a row: how a server reported the number.

    `…_and_statistics` is exact except for tables whose bytes the server only estimates. `…_incomplete` excludes tables without a size.
    """

    PG_DATABASE_SIZE = "pg_database_size"
    INNODB_TABLESPACES = "innodb_tablespaces"
    INNODB_TABLESPACES_AND_STATISTICS = "innodb_tablespaces_and_statistics"
    INNODB_TABLESPACES_INCOMPLETE = "innodb_tablespaces_incomplete"
    INNODB_SYS_TABLESPACES = "innodb_sys_tablespaces"
    INNODB_SYS_TABLESPACES_AND_STATISTICS = "innodb_sys_tablespaces_and_statistics"
    INNODB_SYS_TABLESPACES_INCOMPLETE = "innodb_sys_tablespaces_incomplete"
    MASTER_FILES = "master_files"
    MASTER_FILES_OF_SECONDARY = "master_files_of_secondary"
    BACKUP_FILE_SIZE = "backup_file_size"
    BACKUP_FILE_SIZE_OF_REPLICA = "backup_file_size_of_replica"
    DBA_DATA_FILES = "dba_data_files"
    DBA_HIST_TBSPC_SPACE_USAGE = "dba_hist_tbspc_space_usage"


# Methods of rows that no server reported.
INVENTED_METHODS = frozenset({"simulated", "linear"})


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """One measured database, in bytes. `data_bytes` and `log_bytes` are None if the engine does not distinguish them.

    `growth_limit_bytes` is the size up to which its files may grow; None if unlimited or unknown. `used_bytes` is the part of
    `data_bytes` that is in use; None if the engine allocates only what it uses, or if it could not be read. `notice` is a message about
    an anomaly of the database, with advice.
    """

    database_name: str
    total_bytes: int
    method: str
    data_bytes: int | None = None
    log_bytes: int | None = None
    growth_limit_bytes: int | None = None
    used_bytes: int | None = None
    notice: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no server can honestly say."""
        _refuse_impossible(self)


@dataclass(frozen=True, slots=True)
class RecoveredSize:
    """One database on a past day, from the server's own history. `recorded_at` is when the server recorded it."""

    database_name: str
    stat_date: date
    total_bytes: int
    data_bytes: int | None
    log_bytes: int | None
    method: str
    recorded_at: datetime
    growth_limit_bytes: int | None = None
    used_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no server can honestly say."""
        _refuse_impossible(self)


def _refuse_impossible(size: DatabaseSize | RecoveredSize) -> None:
    if min(size.total_bytes, size.data_bytes or 0, size.log_bytes or 0, size.used_bytes or 0) < 0:
        raise ValueError(f"a size cannot be negative: {size}")
    if size.method in INVENTED_METHODS:
        raise ValueError(f"{size.method!r} is not a measuring method")


@dataclass(frozen=True, slots=True)
class MissingSize:
    """One expected database without a size. `detail` is a message; with `no_permission` it is the missing GRANT."""

    database_name: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class SharedPart:
    """What fills the disk of a server and belongs to no database: one part of it, such as `wal`, or a system database by its name.

    `total_bytes` is None if it is unknown; then `detail` is the GRANT that is missing, or a message.
    """

    part: str
    total_bytes: int | None
    detail: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no server can honestly say, and what is unknown without a reason."""
        if self.total_bytes is not None and self.total_bytes < 0:
            raise ValueError(f"a size cannot be negative: {self}")
        if (self.total_bytes is None) != (self.detail is not None):
            raise ValueError(f"either the size or why it is unknown: {self}")


def total_of(parts: Sequence[SharedPart]) -> int | None:
    """The bytes of all parts; None if one is unknown, or if there are none."""
    known = [part.total_bytes for part in parts if part.total_bytes is not None]
    return sum(known) if known and len(known) == len(parts) else None


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume, or a disk group of Oracle, on which files of a server are, as the server tells it. Bytes."""

    volume: str
    total_bytes: int
    free_bytes: int
