"""The catalogue of the SQL Server for tests: what is on the server as tables in DuckDB, and what a login may see of it as views.

Columns, visibility and error numbers are those that Microsoft documents: sys.databases shows master, tempdb and, with VIEW ANY DATABASE
(public has it), the others; sys.master_files needs VIEW ANY DEFINITION; msdb needs SELECT on the table. Statements reach it by `engine.py`.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import duckdb

from whalefall_pipelines_tests.servers.sqlserver.own_views import definitions
from whalefall_pipelines_tests.servers.sqlserver.principals import FUNCTIONS, TABLES, Principals

SERVER_NAME = "FIXTURE01"
VERSION = (16, 0, 4135)
ONLINE = "ONLINE"
_STATES = {ONLINE: 0, "RESTORING": 1, "RECOVERING": 2, "RECOVERY_PENDING": 3, "SUSPECT": 4, "EMERGENCY": 5, "OFFLINE": 6, "COPYING": 7}
_SYSTEM = ("master", "tempdb", "model", "msdb")
# It is in no list of databases, and its files are in no list of files.
_RESOURCE_DATABASE, RESOURCE_BYTES = 32767, 40 * 2**20
# Represent halves of surrogate pairs, which DuckDB's text cannot hold, in the names of databases.
_HALVES = {0xD800 + number: chr(0xF0000 + number) for number in range(0x800)}
# The error number of a refused login, and the server's message.
REFUSALS = {
    18456: "Login failed for user '{}'.",
    18470: "Login failed for user '{}'. Reason: The account is disabled.",
    18486: "Login failed for user '{}' because the account is currently locked out. The system administrator can unlock it.",
    18487: "Login failed for user '{}'.  Reason: The password of the account has expired.",
    18488: "Login failed for user '{}'.  Reason: The password of the account must be changed.",
    18458: "Login failed. The number of simultaneous users already equals the 1 registered licenses for this server.",
    18459: "Login failed. The workstation licensing limit for SQL Server access has already been reached.",
    17809: "Could not connect because the maximum number of '1' user connections has already been reached.",
}
_TABLES = f"""
create schema server;
create table server.logins (name varchar primary key, password varchar, refusal integer);
create table server.rights (login varchar, name varchar);
create table server.denials (login varchar, name varchar);
create macro server.is_denied(wanted) as
    exists (select 1 from server.denials as denial where denial.login = getvariable('login')::varchar and denial.name = wanted);
create macro server.has_right(wanted) as not server.is_denied(wanted)
    and exists (select 1 from server.rights as r where r.login = getvariable('login')::varchar and r.name in (wanted, 'sysadmin'));
create table server.databases (
    database_id integer, name varchar unique, state tinyint, state_desc varchar, source_database_id integer, replica_id uuid,
    create_date timestamp default current_localtimestamp(), service_broker_guid uuid default uuid(), owner varchar,
    owner_sid blob default '\\x01'::blob, is_trustworthy_on boolean default false);
create table server.sparse_files (database_id integer, size_on_disk_bytes bigint);
insert into server.sparse_files values ({_RESOURCE_DATABASE}, {RESOURCE_BYTES});
create table server.replicas (replica_id uuid, is_local boolean, role tinyint, is_readable boolean);
create table server.files (
    database_id integer, type tinyint, size integer, own_size integer, state tinyint, max_size integer, growth integer);
create schema sys;
create view sys.databases as
    select database_id, name, state, state_desc, source_database_id, replica_id, create_date, service_broker_guid, owner_sid,
        is_trustworthy_on from server.databases
    where name in ('master', 'tempdb') or owner = getvariable('login')::varchar or server.has_right('VIEW ANY DATABASE');
create macro sys.dm_io_virtual_file_stats(wanted_database, wanted_file) as table
    select database_id, size_on_disk_bytes from server.sparse_files
    union all select database_id, own_size::bigint * 8192 from server.files
    where database_id not in (select database_id from server.sparse_files);
create table server.volumes (volume_mount_point varchar, total_bytes bigint, available_bytes bigint);
create view sys.dm_os_volume_stats as from server.volumes;
create view sys.master_files as select database_id, 1 as file_id, type, size, state, max_size, growth
    from server.files where server.has_right('VIEW ANY DEFINITION');
create macro server.files_of(wanted) as table
    select f.type, f.own_size as size, f.state from server.files as f join server.databases as d using (database_id) where d.name = wanted;
create view sys.dm_hadr_availability_replica_states as select replica_id, is_local, role from server.replicas;
create macro db_id(wanted) as (select d.database_id from sys.databases as d where d.name = wanted);
create macro has_dbaccess(wanted) as
    (server.has_right('CONNECT ANY DATABASE') and wanted in (select d.name from server.databases as d where d.state = 0))::integer;
create macro original_login() as getvariable('login')::varchar;
create macro quotename(name) as '[' || replace(name, ']', ']]') || ']';
create macro serverproperty(name) as case name
    when 'ProductVersion' then '{".".join(map(str, VERSION))}.4' when 'ServerName' then '{SERVER_NAME}'
    when 'IsHadrEnabled' then (select (count(*) > 0)::integer::varchar from server.replicas) end;
create macro has_perms_by_name(securable, class, permission) as case class
    when 'DATABASE' then server.has_right('VIEW ANY DEFINITION') and not server.is_denied(permission || ' ON ' || securable)
    else server.has_right(permission || case when securable is null then '' else ' ON ' || securable end) end::integer;
attach ':memory:' as msdb;
create schema msdb.dbo;
create table msdb.dbo.backupset (
    backup_set_id integer, type varchar, database_name varchar, server_name varchar, backup_start_date timestamp, time_zone smallint);
create table msdb.dbo.backupfile (
    backup_set_id integer, file_type varchar, file_size decimal(20, 0), is_present boolean, state tinyint);
"""


def utf_16(name: str) -> bytes:
    """A name of the catalogue as SQL Server stores it."""
    halves = {ord(mark): half for half, mark in _HALVES.items()}
    return name.translate(halves).encode("utf-16-le", "surrogatepass")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup; `file_type` D is data, L log, S a container."""

    file_type: str
    file_size: int | None
    is_present: bool = True
    state: int = 0


@dataclass(slots=True)
class Catalogue:
    """One server's databases, logins and backups. The system databases are there from the start."""

    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.connection.execute(_TABLES + TABLES + FUNCTIONS + definitions())
        for name in _SYSTEM:
            self.add_database(name, data_pages=1000, log_pages=100)

    def add_database(
        self,
        name: str,
        *,
        data_pages: Sequence[int] | int = 1024,
        log_pages: int = 128,
        container_pages: int | None = None,
        state: str = ONLINE,
        snapshot_of: str | None = None,
        defunct_pages: int | None = None,
        most_pages: int = -1,
        growth: int = 8192,
        used_pages: int | None = None,
        role: int | None = None,
        is_readable: bool = True,
        owner: str | None = None,
        sparse_bytes: int = 0,
    ) -> None:
        """A database with its files; sizes are pages of 8 KB. A container has no size in master's list, only in its own database.
        Data files may grow to `most_pages` each, -1 is without a limit; log files to 2 TB, as the server writes it. `role` is the part
        that this server has in an availability group: 0 resolving, 1 primary, 2 secondary, which may not be readable. A snapshot takes
        `sparse_bytes` on the disk. A name may hold half a surrogate pair."""
        name = name.translate(_HALVES)
        number = next(self._numbers) + 1
        source = self._scalar("select database_id from server.databases where name = ?", snapshot_of) if snapshot_of else None
        replica = None if role is None else uuid4()
        columns = "database_id, name, state, state_desc, source_database_id, replica_id, owner"
        self._run(
            f"insert into server.databases ({columns}) values (?, ?, ?, ?, ?, ?, ?)",
            *(number, name, _STATES[state], state, source, replica, owner),
        )
        if snapshot_of:
            self._run("insert into server.sparse_files values (?, ?)", number, sparse_bytes)
        if replica:
            self._run("insert into server.replicas values (?, true, ?, ?), (?, false, 2, true)", replica, role, is_readable, uuid4())
        if used_pages is not None:
            self._run("insert into server.allocation_units (database_id, total_pages) values (?, ?), (?, 0)", number, used_pages, number)
        pages = [data_pages] if isinstance(data_pages, int) else data_pages
        files = [*((0, size, size, 0, most_pages, growth) for size in pages), (1, log_pages, log_pages, 0, 2**28, growth)]
        files += [] if container_pages is None else [(2, 0, container_pages, 0, -1, 0)]
        files += [] if defunct_pages is None else [(0, defunct_pages, defunct_pages, 7, -1, growth)]
        for file in files:
            self._run("insert into server.files values (?, ?, ?, ?, ?, ?, ?)", number, *file)

    @property
    def principals(self) -> Principals:
        """Its users, roles and permissions, to be filled."""
        return Principals(self._run)

    def trust(self, database: str, owner_sid: bytes) -> None:
        """Make a database trustworthy, with this owner."""
        self._run("update server.databases set is_trustworthy_on = true, owner_sid = ? where name = ?", owner_sid, database)

    def add_many(self, names: Sequence[str]) -> None:
        """Databases of one page of data and one of log each, by two statements instead of three for each."""
        first = next(self._numbers) + 1
        for _ in names:
            next(self._numbers)
        numbered = "select unnest(range(?, ?)) as number, unnest(?) as name"
        databases = f"select number, name, 0, '{ONLINE}' from ({numbered})"
        self._run(f"insert into server.databases (database_id, name, state, state_desc) {databases}", first, first + len(names), names)
        files = f"select number, type, 1, 1, 0, -1, 0 from ({numbered}) cross join (values (0), (1)) as kinds (type)"
        self._run(f"insert into server.files {files}", first, first + len(names), names)

    def drop_many(self, names: Sequence[str]) -> None:
        """Drop databases by two statements."""
        self._run(
            "delete from server.files where database_id in (select database_id from server.databases where name in (select unnest(?)))",
            names,
        )
        self._run("delete from server.databases where name in (select unnest(?))", names)

    def drop_database(self, name: str) -> None:
        self._run("delete from server.files where database_id = (select database_id from server.databases where name = ?)", name)
        self._run("delete from server.databases where name = ?", name)

    def rename_database(self, name: str, new_name: str) -> None:
        """As ALTER DATABASE … MODIFY NAME does; Microsoft documents create_date as the date of creation or renaming."""
        self._run("update server.databases set name = ?, create_date = current_localtimestamp() where name = ?", new_name, name)

    def restart(self) -> None:
        """Recreate tempdb, as the server does when it starts."""
        columns = "create_date = current_localtimestamp() + interval 1 second, service_broker_guid = uuid()"
        self._run(f"update server.databases set {columns} where name = 'tempdb'")

    def add_login(self, name: str, password: str, *rights: str, refusal: int | None = None) -> None:
        """A login with these privileges besides those of public; `refusal` is the error that it gets."""
        self._run("insert into server.logins values (?, ?, ?)", name, password, refusal)
        for right in ("VIEW ANY DATABASE", *rights):
            self.grant(name, right)

    def grant(self, login: str, right: str) -> None:
        self._run("insert into server.rights values (?, ?)", login, right)

    def revoke(self, login: str, right: str) -> None:
        self._run("delete from server.rights where login = ? and name = ?", login, right)

    def deny(self, login: str, right: str) -> None:
        self._run("insert into server.denials values (?, ?)", login, right)

    def add_backup(
        self, database_name: str, begun: datetime, *files: File, kind: str = "D", quarters: int = 32, server_name: str = SERVER_NAME
    ) -> None:
        """A backup that began at this local time of the server, whose zone is so many quarters of an hour east of UTC."""
        number = next(self._numbers) + 1
        self._run("insert into msdb.dbo.backupset values (?, ?, ?, ?, ?, ?)", number, kind, database_name, server_name, begun, quarters)
        for file in files:
            self._run(
                "insert into msdb.dbo.backupfile values (?, ?, ?, ?, ?)",
                *(number, file.file_type, file.file_size, file.is_present, file.state),
            )

    def forget_backups(self) -> None:
        self._run("delete from msdb.dbo.backupfile")
        self._run("delete from msdb.dbo.backupset")

    def password_of(self, login: str) -> tuple[str, int | None] | None:
        """The password of a login, and the error that it gets nevertheless."""
        return self._row("select password, refusal from server.logins where name = ?", login)

    def close(self) -> None:
        """Give DuckDB's memory back; it complains at exit otherwise."""
        self.connection.close()

    def has_right(self, login: str, right: str) -> bool:
        return bool(self._scalar("select count(*) from server.rights where login = ? and name in (?, 'sysadmin')", login, right))

    def states_of(self, databases: Sequence[str]) -> dict[str, tuple[str, bool]]:
        """State of each database by its name in lower case, and whether it can be queried, which a secondary replica may not allow."""
        statement = """select lower(name), state_desc, coalesce(is_readable, true)
            from server.databases left join (from server.replicas where is_local) using (replica_id)
            where lower(name) in (select lower(unnest(?)))"""
        with self.connection.cursor() as cursor:
            rows = cursor.execute(statement, [list(databases)]).fetchall() if databases else []
        return {name: (state, is_readable) for name, state, is_readable in rows}

    def new_number(self) -> int:
        """An identifier that nothing else has."""
        return next(self._numbers) + 1

    def run(self, statement: str, *values: object) -> None:
        """Change the contents."""
        self._run(statement, *values)

    def _run(self, statement: str, *values: object) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self.connection.cursor() as cursor:
            return cursor.execute(statement, values).fetchone()

    def _scalar(self, statement: str, *values: object) -> object:
        row = self._row(statement, *values)
        return row[0] if row else None
