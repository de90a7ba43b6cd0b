"""What happens to accounts on the servers under fault (`targets.py`), the same for each engine. Every test leaves a server as it was."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from whalefall_pipelines.fleet.mysql.account_grants import grant_accounts, grant_table
from whalefall_pipelines_tests.faults.targets import MariadbTarget, OracleTarget, PostgresTarget, SqlServerTarget, Target
from whalefall_pipelines_tests.servers.oracle.accounts import ACCOUNTS
from whalefall_pipelines_tests.servers.postgresql import superuser

# Stays, is dropped, and is new.
KEEPER, LEAVER, STRANGER = "keeper", "leaver", "stranger"
_TABLES = {"mariadb": ("roles_mapping",), "mysql": ("role_edges", "default_roles", "global_grants")}
_NUMBERS = {KEEPER: 900, LEAVER: 901, STRANGER: 902}


class AccountServer:
    """The accounts of a server: each made with a privilege that somebody granted it."""

    def __init__(self, target: Target, afterwards: ExitStack) -> None:
        self.target, self._afterwards = target, afterwards
        if isinstance(target, MariadbTarget):
            family = target.server.family
            tables = ("db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", *_TABLES[family])
            grants = [grant_accounts(family, target.account), *(grant_table(table, target.account) for table in tables)]
            self._run(*(statement for grant in grants for statement in grant.removesuffix(";").split("; ")))
            afterwards.callback(
                self._run,
                f"revoke all privileges, grant option from {target.account}",
                f"grant process, show view on *.* to {target.account}",
            )
        elif isinstance(target, PostgresTarget):
            self._run("create table of_accounts (id integer)", database="app")
            afterwards.callback(self._run, "drop table of_accounts", database="app")
        for name in (KEEPER, LEAVER):
            self.add(name)

    def name_of(self, name: str) -> str:
        """What an account is called in the store."""
        return f"{name}@%" if isinstance(self.target, MariadbTarget) else name

    def add(self, name: str) -> None:
        match self.target:
            case PostgresTarget():
                self._run(f"create role {name} login")
                self._run(f"grant select on of_accounts to {name}", database="app")
            case MariadbTarget():
                self._run(f"create user {name}", f"grant select on app.* to {name}")
            case SqlServerTarget():
                principals = self.target.server.catalogue.principals
                principals.add_server_principal(_NUMBERS[name], name, sid=name.encode())
                principals.permit_on_server(_NUMBERS[name], "VIEW SERVER STATE")
            case OracleTarget():
                self.target.server.double.run(
                    "insert into sys.dba_users values (?, ?, 'OPEN', null, null, 'PASSWORD', 'DEFAULT', 'NO', 'N')", name, _NUMBERS[name]
                )
                self.target.server.double.run(
                    f"insert into sys.dba_tab_privs values ('{name}', 'APP', 'T', 'APP', 'SELECT', 'NO', 'TABLE')"
                )
            case _:
                raise AssertionError(self.target)
        self._afterwards.callback(self.drop, name)

    def drop(self, name: str) -> None:
        """Drop an account that may be gone already."""
        match self.target:
            case PostgresTarget():
                self._run(f"do $$ begin if to_regrole('{name}') is not null then drop owned by {name}; end if; end $$", database="app")
                self._run(f"drop role if exists {name}")
            case MariadbTarget():
                self._run(f"drop user if exists {name}")
            case SqlServerTarget():
                self.target.server.catalogue.principals.drop_server_principal(_NUMBERS[name])
            case OracleTarget():
                self.target.server.double.run("delete from sys.dba_users where username = ?", name)
                self.target.server.double.run("delete from sys.dba_tab_privs where grantee = ?", name)
            case _:
                raise AssertionError(self.target)

    @contextmanager
    def partly_forbidden(self) -> Generator[Callable[[], None]]:
        """Yields what takes the privilege for a part of phase two from the login; it is back at the end of the block."""
        take, give = self._part()
        try:
            yield take
        finally:
            give()

    @contextmanager
    def forbidden(self) -> Generator[None]:
        """For the block the login may read no accounts at all."""
        match self.target:
            case MariadbTarget():
                grant = grant_accounts(self.target.server.family, self.target.account).removesuffix(";")
                self._run(grant.replace("GRANT", "REVOKE", 1).replace(" TO ", " FROM "))
                yield
                self._run(grant)
            case SqlServerTarget():
                with self.target.forbidden():
                    yield
            case OracleTarget():
                self.target.server.double.revoke(*ACCOUNTS)
                yield
                self.target.server.double.grant(*ACCOUNTS)
            case _:
                raise AssertionError(self.target)

    def _part(self) -> tuple[Callable[[], None], Callable[[], None]]:
        match self.target:
            case PostgresTarget():
                return (
                    lambda: self._run("revoke connect on database app from public"),
                    lambda: self._run("grant connect on database app to public"),
                )
            case MariadbTarget():
                account = self.target.account
                return lambda: self._run(f"revoke select on mysql.db from {account}"), lambda: self._run(
                    f"grant select on mysql.db to {account}"
                )
            case SqlServerTarget():
                catalogue, login = self.target.server.catalogue, self.target.login.username
                right = "VIEW ANY DEFINITION"
                return lambda: catalogue.revoke(login, right), lambda: catalogue.grant(login, right)
            case OracleTarget():
                double = self.target.server.double
                return lambda: double.revoke("dba_tab_privs"), lambda: double.grant("dba_tab_privs")
            case _:
                raise AssertionError(self.target)

    def _run(self, *statements: str, database: str = "postgres") -> None:
        if isinstance(self.target, PostgresTarget):
            with superuser(self.target.cluster, database) as cursor:
                for statement in statements:
                    cursor.execute(statement)
        elif isinstance(self.target, MariadbTarget):
            self.target.server.ask(*statements)
