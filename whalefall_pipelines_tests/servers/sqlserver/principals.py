"""Principals and permissions of the SQL Server for tests: the part of the catalogue that the adapter of accounts asks, as documented.

sys.server_principals and what belongs to it shows a login without VIEW ANY DEFINITION itself and the fixed roles alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

SA_SID = b"\x01"
TABLES = """
create table server.principals (principal_id integer, name varchar, sid blob, type varchar, is_disabled boolean, is_fixed_role boolean);
insert into server.principals values (1, 'sa', '\\x01'::blob, 'S', true, false), (2, 'public', '\\x02'::blob, 'R', false, false),
    (3, 'sysadmin', '\\x03'::blob, 'R', false, true), (4, 'securityadmin', '\\x04'::blob, 'R', false, true);
create table server.role_members (role_principal_id integer, member_principal_id integer);
create table server.permissions (class integer, class_desc varchar, major_id integer, grantee_principal_id integer,
    grantor_principal_id integer, permission_name varchar, state varchar);
create table server.database_principals (wanted varchar, principal_id integer, name varchar, sid blob, type varchar,
    authentication_type integer);
create table server.database_role_members (wanted varchar, role_principal_id integer, member_principal_id integer);
create table server.database_permissions (wanted varchar, class integer, class_desc varchar, major_id integer, minor_id integer,
    grantee_principal_id integer, grantor_principal_id integer, permission_name varchar, state varchar);
create table server.columns_of_objects (wanted varchar, object_id integer, column_id integer, name varchar);
create view sys.server_principals as select * from server.principals
    where server.has_right('VIEW ANY DEFINITION') or is_fixed_role or name = getvariable('login')::varchar;
create view sys.sql_logins as select principal_id, true as is_policy_checked, false as is_expiration_checked from server.principals
    where type = 'S';
create view sys.server_role_members as select * from server.role_members;
create view sys.server_permissions as select * from server.permissions where server.has_right('VIEW ANY DEFINITION');
create macro loginproperty(name, what) as case what when 'PasswordLastSetTime' then '2026-11-01 08:00:00' when 'IsLocked' then '0'
    when 'IsExpired' then '0' end;
create macro getutcdate() as timestamp '2026-11-29 10:00:00';
"""
# Views of every database besides those of `own_views.py`, and the table function that replaces each.
OWN = {name: f"server.{name}_of" for name in ("database_principals", "database_role_members", "database_permissions", "columns")}
FUNCTIONS = "".join(
    f"create macro {function}(asked) as table select * from server.{'columns_of_objects' if name == 'columns' else name} "
    "where wanted = asked and server.has_right('VIEW ANY DEFINITION');"
    for name, function in OWN.items()
)


@dataclass(frozen=True, slots=True)
class Principals:
    """Fills the tables of one catalogue; `run` executes a statement there."""

    run: Callable[..., None]

    def add_server_principal(self, number: int, name: str, kind: str = "S", *, sid: bytes | None = None) -> None:
        self.run("insert into server.principals values (?, ?, ?, ?, false, false)", number, name, sid or bytes([number % 256, 9]), kind)

    def drop_server_principal(self, number: int) -> None:
        self.run("delete from server.permissions where grantee_principal_id = ?", number)
        self.run("delete from server.principals where principal_id = ?", number)

    def add_server_member(self, role: int, member: int) -> None:
        self.run("insert into server.role_members values (?, ?)", role, member)

    def permit_on_server(self, grantee: int, privilege: str, state: str = "G", *, on_principal: int | None = None) -> None:
        kind = (100, "SERVER", 0) if on_principal is None else (101, "SERVER_PRINCIPAL", on_principal)
        self.run("insert into server.permissions values (?, ?, ?, ?, 1, ?, ?)", *kind, grantee, privilege, state)

    def add_user(self, database: str, number: int, name: str, sid: bytes | None, kind: str = "S", *, authentication: int = 1) -> None:
        self.run("insert into server.database_principals values (?, ?, ?, ?, ?, ?)", database, number, name, sid, kind, authentication)

    def add_member(self, database: str, role: int, member: int) -> None:
        self.run("insert into server.database_role_members values (?, ?, ?)", database, role, member)

    def permit(
        self, database: str, grantee: int, privilege: str, state: str = "G", *, kind: tuple[int, str] = (0, "DATABASE"), on: int = 0,
        column: int = 0,
    ) -> None:  # fmt: skip
        self.run("insert into server.database_permissions values (?, ?, ?, ?, ?, ?, 1, ?, ?)",
                 database, *kind, on, column, grantee, privilege, state)  # fmt: skip

    def add_schema(self, database: str, number: int, name: str, owner: int) -> None:
        self.run(
            "insert into server.schemas select database_id, ?, ?, ? from server.databases where name = ?", number, name, owner, database
        )

    def add_object(self, database: str, number: int, schema: int, name: str, *, kind: str = "U", columns: tuple[str, ...] = ()) -> None:
        statement = "insert into server.objects select database_id, ?, ?, ?, ?, false from server.databases where name = ?"
        self.run(statement, number, schema, name, kind, database)
        for place, column in enumerate(columns, 1):
            self.run("insert into server.columns_of_objects values (?, ?, ?, ?)", database, number, place, column)
