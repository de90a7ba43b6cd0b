"""Sizes: what a measurement is, and what stands in its place where there is none.

Bytes are whole bytes; unknown is None, never 0. Writing them is `capacity/store/sizes.py`, asking for them `fleet/`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from whalefall_pipelines.domain.reasons import Reason


class Provenance(StrEnum):
    """How a stored number came to be (domain.md section 1)."""

    MEASURED = "measured"
    RECOVERED = "recovered"
    ESTIMATED = "estimated"


class Method(StrEnum):
    """Where a number comes from that a server said: the public `method` of a row, as the adapters here write it.

    `…_and_statistics` is exact but for tables whose bytes the server only estimates; `…_incomplete` leaves tables out that tell no size.
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


# Methods of rows that no server said.
INVENTED_METHODS = frozenset({"simulated", "linear"})


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """One database as measured now, in bytes. `data_bytes` and `log_bytes` are None where the engine does not tell them apart.

    `growth_limit_bytes` is how large its files may grow; None is without a limit, or unknown. `used_bytes` is how much of `data_bytes`
    is in use; None where the engine allocates what it uses, or where it could not be asked. `notice` is a sentence for people about a
    size that is there: what is odd about the database, and what to do about it.
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
    """One database on a day that is over, from a history that the server itself keeps; `recorded_at` is when the server wrote it down."""

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
        raise ValueError(f"{size.method!r} is no method of measuring")


@dataclass(frozen=True, slots=True)
class MissingSize:
    """One expected database without a size. `detail` is a sentence for people; with `no_permission` it is the GRANT that cures it."""

    database_name: str
    reason: Reason
    detail: str
