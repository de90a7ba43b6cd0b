"""The scripts of `docs/howto/read-accounts.md` are the statements that probes print, which the tests of each engine execute."""

import re
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.fleet.mysql.account_grants import create_view
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.fleet.test_mysql_accounts import privileges_of, read
from whalefall_pipelines_tests.fleet.test_postgresql_accounts import read as read_postgresql
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.postgresql import create_database, superuser

pytestmark = pytest.mark.process
PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "read-accounts.md").read_text(encoding="utf-8")
LOGIN = Login("whalefall", "secret")


def script(title: str) -> list[str]:
    """The statements under a title, each on one line."""
    (text,) = re.findall(rf"^```sql\n-- {title}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [" ".join(statement.split()) for statement in text.split(";") if statement.strip()]


def test_on_mysql_and_mariadb(target: Target) -> None:
    title = {"mysql": "MySQL", "mariadb": "MariaDB"}[target.family]
    target.ask(f"create user {LOGIN.username} identified by '{LOGIN.password}'")
    try:
        required, view = script(title), script(f"{title}, view")
        printed = [privilege.statement for privilege in privileges_of(target, LOGIN)]
        assert [text for statement in printed[:2] for text in statement.rstrip(";").split("; ")] == required
        assert "; ".join(view) + ";" == create_view(target.family, "'whalefall'@'%'") == printed[2]
        target.ask(*required)
        assert read(target, LOGIN).privileges.unread == []
        assert read(target, LOGIN).listing.unread != []
        target.ask(*view)
        assert read(target, LOGIN).listing.unread == ()
    finally:
        target.ask(f"drop user {LOGIN.username}", "drop database if exists whalefall_monitor")


def test_on_postgresql(newest: PostgresCluster) -> None:
    database = create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"revoke connect on database {database} from public")
        cursor.execute(f"create role {LOGIN.username} login password '{LOGIN.password}'")
        assert read_postgresql(newest, LOGIN).gap(database) is not None
        for statement in script("PostgreSQL"):
            cursor.execute(statement.replace("payroll", database))
        assert read_postgresql(newest, LOGIN).gap(database) is None
        cursor.execute(f"drop owned by {LOGIN.username}; drop role {LOGIN.username}")
