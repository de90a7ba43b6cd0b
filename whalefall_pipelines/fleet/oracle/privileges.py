"""Which views of the dictionary a login of Oracle sees, what each is for, and the statements that show it what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from whalefall_pipelines.fleet.probe import Right

LISTING, USED = "dba_tablespaces", "dba_tablespace_usage_metrics"
HISTORY = ("dba_hist_tbspc_space_usage", "dba_hist_snapshot", "v_$tablespace")
IDENTIFIERS = ("v_$tablespace", "v_$datafile")
IDENTITY = ("v_$database", "v_$instance")
SHARED = ("v_$log", "v_$logfile", "v_$standby_log", "v_$controlfile")
_ALL_OF_THEM = "select any dictionary"
_ROOT = 1


@dataclass(frozen=True, slots=True)
class Privileges:
    """A login and what it sees of the dictionary; none of these views shows a row of data.

    `container_id` is 0 in a database without containers and 1 in the root.
    """

    login_name: str
    container_id: int
    is_on_rds: bool
    seen: frozenset[str]

    @property
    def is_whole_database(self) -> bool:
        """Tell whether redo logs and control files belong to what the visit sees; they belong to no PDB."""
        return self.container_id <= _ROOT

    def missing(self, *views: str) -> list[str]:
        """Those of these views that the login does not see."""
        return [] if _ALL_OF_THEM in self.seen else [view for view in views if view not in self.seen]

    def grants(self, *views: str) -> str:
        """The statements that show these views to the login. On Amazon RDS nobody can grant what belongs to SYS but its own procedure."""
        return " ".join(self._grant(view) for view in views)

    def rights(self) -> Sequence[Right]:
        """What the adapter asks for, from what it cannot do without to what only some servers need."""
        shared = self._right("know the bytes of no tablespace", *SHARED, is_optional=True)
        return (
            self._right("list tablespaces", LISTING),
            self._right("measure them", "dba_data_files"),
            self._right("measure temporary ones", "dba_temp_files"),
            self._right("measure used space", USED, is_optional=True),
            self._right("know the server under another name", *IDENTITY, is_optional=True),
            self._right("know a tablespace under another name", *IDENTIFIERS, is_optional=True),
            *((shared,) if self.is_whole_database else ()),
            self._right("recover missed days from AWR, where it is licensed", *HISTORY, is_optional=True),
        )

    def _grant(self, view: str) -> str:
        if not self.is_on_rds:
            return f'GRANT SELECT ON sys.{view} TO "{self.login_name}";'
        literals = (name.replace("'", "''") for name in (view.upper(), self.login_name))
        return "BEGIN rdsadmin.rdsadmin_util.grant_sys_object('{}', '{}', 'SELECT'); END;".format(*literals)

    def _right(self, purpose: str, *views: str, is_optional: bool = False) -> Right:
        return Right(purpose, self.grants(*views), is_held=not self.missing(*views), is_optional=is_optional)
