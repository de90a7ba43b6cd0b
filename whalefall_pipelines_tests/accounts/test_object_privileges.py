"""The privileges that may be asked for are those that a real server says can be granted."""

import pytest

from whalefall_pipelines.accounts.object_privileges import privileges_on
from whalefall_pipelines.accounts.paths import Target as ObjectTarget
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.postgresql import MAJORS, PostgresServers, superuser

pytestmark = pytest.mark.process


def names_on(engine: Engine, *, is_table: bool) -> frozenset[str]:
    return privileges_on(ObjectTarget(1, "server", engine, "shop", None, "orders" if is_table else None))


@pytest.mark.parametrize(("is_table", "kind"), [(True, "r"), (False, "d")])
def test_what_owners_of_postgresql_have(servers: PostgresServers, is_table: bool, kind: str) -> None:
    with superuser(servers.of(max(MAJORS))) as cursor:
        cursor.execute('select privilege_type from aclexplode(acldefault(%s::"char", 10))', (kind,))
        grantable = {name for (name,) in cursor.fetchall()}
    assert names_on(Engine.POSTGRESQL, is_table=is_table) == grantable | {"ALTER", "DROP"}


@pytest.mark.parametrize("family", ["mariadb", "mysql_server"])
def test_what_mysql_and_mariadb_can_grant(request: pytest.FixtureRequest, family: str) -> None:
    target: Target = request.getfixturevalue(family)
    grantable = {str(name).upper(): str(context) for name, context, _ in target.ask("show privileges")}
    on_tables = {name for name, context in grantable.items() if "Tables" in context and name != "GRANT OPTION"}
    assert names_on(Engine.MYSQL, is_table=True) >= on_tables
    in_databases = {name for name, context in grantable.items() if "Databases" in context and name != "GRANT OPTION"}
    assert names_on(Engine.MYSQL, is_table=False) >= in_databases
