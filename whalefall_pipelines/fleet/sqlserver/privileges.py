"""What a SQL Server reports about itself and the privileges of our login, and the GRANT statements for missing ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from whalefall_pipelines.domain.instances import ServerIdentity
from whalefall_pipelines.fleet.probe import Privilege


@dataclass(frozen=True, slots=True)
class Server:
    """One row of `read_server.sql`. A privilege on something that cannot be seen is NULL there, and none here.

    `msdb_identifier` and `started_at` are None where the login may not see what tells them.
    """

    product_version: str
    server_name: str
    msdb_identifier: str | None
    started_at: datetime | None
    quoted_login: str
    sees_databases: int | None
    sees_files: int | None
    connects_anywhere: int | None
    reads_backup_sets: int | None
    reads_backup_files: int | None
    sees_state: int | None
    has_groups: int | None
    is_on_rds: int

    @property
    def identity(self) -> ServerIdentity | None:
        """The server's name and msdb's own identifier, which another installation of the same name does not have.

        A secondary replica of an availability group is a server of its own. tempdb is made anew with every process.
        """
        if self.msdb_identifier is None:
            return None
        started_at = None if self.started_at is None else self.started_at.isoformat()
        return ServerIdentity(f"{self.server_name}/{self.msdb_identifier}", started_at=started_at)

    @property
    def reads_backups(self) -> bool:
        """Tell whether days that were missed can be recovered."""
        return bool(self.reads_backup_sets and self.reads_backup_files)

    @property
    def grant_list(self) -> str:
        """Lets the login see every database; it takes a DENY to this login back as well."""
        return f"GRANT VIEW ANY DATABASE TO {self.quoted_login};"

    @property
    def grant_files(self) -> str:
        """Lets the login see the files of every database."""
        return f"GRANT VIEW ANY DEFINITION TO {self.quoted_login};"

    @property
    def grant_state(self) -> str:
        """Lets the login see replicas, and the files of what is no database."""
        return f"GRANT VIEW SERVER STATE TO {self.quoted_login};"

    @property
    def grant_backups(self) -> str:
        """Lets the login read the backup history; the server-wide ones can be granted in master only, so it comes last."""
        login = self.quoted_login
        tables = " ".join(f"GRANT SELECT ON dbo.{table} TO {login};" for table in ("backupset", "backupfile"))
        return f"USE msdb; CREATE USER {login} FOR LOGIN {login}; {tables}"

    def grant_entry(self, quoted_name: str) -> str:
        """Lets the login into this database. Nobody can grant CONNECT ANY DATABASE on Amazon RDS, where each database takes a user."""
        if self.is_on_rds:
            return f"USE {quoted_name}; CREATE USER {self.quoted_login} FOR LOGIN {self.quoted_login};"
        return f"GRANT CONNECT ANY DATABASE TO {self.quoted_login};"

    def privileges(self) -> Sequence[Privilege]:
        """The privileges that the adapter needs, required ones first."""
        entry = Privilege("measure used space and containers", self.grant_entry(""), is_held=bool(self.connects_anywhere), is_optional=True)
        return (
            Privilege("list databases", self.grant_list, is_held=bool(self.sees_databases)),
            Privilege("measure them", self.grant_files, is_held=bool(self.sees_files)),
            *(() if self.is_on_rds else (entry,)),
            Privilege(
                "see secondary replicas, and the bytes that belong to no database",
                self.grant_state,
                is_held=bool(self.sees_state),
                is_optional=True,
            ),
            Privilege("recover missed days from the backup history", self.grant_backups, is_held=self.reads_backups, is_optional=True),
        )
