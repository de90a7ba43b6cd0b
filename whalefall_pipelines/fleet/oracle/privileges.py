"""The dictionary views that an Oracle login may read, their purposes, and the GRANT statements for missing ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from whalefall_pipelines.fleet.probe import Privilege

LISTING, USED = "dba_tablespaces", "dba_tablespace_usage_metrics"
HISTORY = ("dba_hist_tbspc_space_usage", "dba_hist_snapshot", "v_$tablespace")
IDENTIFIERS = ("v_$tablespace", "v_$datafile")
IDENTITY = ("v_$database", "v_$instance")
SHARED = ("v_$log", "v_$logfile", "v_$standby_log", "v_$controlfile")
VOLUMES = ("v_$asm_diskgroup_stat",)
SEGMENTS = ("dba_segments", "dba_indexes", "dba_lobs", "dba_tables")
_ALL_OF_THEM = "select any dictionary"
_ROOT = 1


@dataclass(frozen=True, slots=True)
class Privileges:
    """A login and the dictionary views that it may read. None of these views shows user data.

    `container_id` is 0 in a database without containers and 1 in the root.
    """

    login_name: str
    container_id: int
    is_on_rds: bool
    seen: frozenset[str]

    @property
    def is_whole_database(self) -> bool:
        """Tell whether redo logs and control files belong to the probed container; they belong to no PDB."""
        return self.container_id <= _ROOT

    def missing(self, *views: str) -> list[str]:
        """Those of these views that the login does not see."""
        return [] if _ALL_OF_THEM in self.seen else [view for view in views if view not in self.seen]

    def grants(self, *views: str) -> str:
        """The statements that show these views to the login. On Amazon RDS nobody can grant what belongs to SYS but its own procedure."""
        return " ".join(self._grant(view) for view in views)

    def privileges(self) -> Sequence[Privilege]:
        """The privileges that the adapter needs, required ones first."""
        shared = self._privilege("see the bytes that belong to no tablespace", *SHARED, is_optional=True)
        return (
            self._privilege("list tablespaces", LISTING),
            self._privilege("measure them", "dba_data_files"),
            self._privilege("measure temporary tablespaces", "dba_temp_files"),
            self._privilege("measure used space", USED, is_optional=True),
            self._privilege("recognize the server under another name", *IDENTITY, is_optional=True),
            self._privilege("recognize a renamed tablespace", *IDENTIFIERS, is_optional=True),
            *((shared,) if self.is_whole_database else ()),
            self._privilege("see the ASM disk groups", *VOLUMES, is_optional=True),
            self._privilege("recover missed days from AWR, if licensed", *HISTORY, is_optional=True),
        )

    def _grant(self, view: str) -> str:
        if not self.is_on_rds:
            return f'GRANT SELECT ON sys.{view} TO "{self.login_name}";'
        literals = (name.replace("'", "''") for name in (view.upper(), self.login_name))
        return "BEGIN rdsadmin.rdsadmin_util.grant_sys_object('{}', '{}', 'SELECT'); END;".format(*literals)

    def _privilege(self, purpose: str, *views: str, is_optional: bool = False) -> Privilege:
        return Privilege(purpose, self.grants(*views), is_held=not self.missing(*views), is_optional=is_optional)
