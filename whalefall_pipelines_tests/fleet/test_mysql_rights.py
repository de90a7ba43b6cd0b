"""The MySQL adapter with logins that cannot see everything: it names the GRANT that helps, and never reports 0.

Sizes are in `test_mysql.py`.
"""

import pymysql
import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines_tests.servers.mariadb import RIGHTS, Target, measure, missing, new_name, probing, quoted, total_bytes
from whalefall_pipelines_tests.servers.probes import failure

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("rights", "cure"),
    [
        ("", "PROCESS, SHOW VIEW"),
        ("SHOW DATABASES", "PROCESS, SHOW VIEW"),
        ("SHOW VIEW", "PROCESS"),
        ("SELECT", "PROCESS"),
        ("PROCESS", "SHOW VIEW"),
        ("PROCESS, SHOW DATABASES", "SHOW VIEW"),
        ("PROCESS, LOCK TABLES, EXECUTE, EVENT", "SHOW VIEW"),
    ],
)
def test_schemas_hidden_from_the_login_are_missing_with_the_grant_that_helps(target: Target, rights: str, cure: str) -> None:
    full, hidden, empty = (target.create_schema() for _ in range(3))
    target.fill(full, "plain", 500)
    target.fill(hidden, "other", 500, "engine=MyISAM")
    login, names = target.create_login(rights), (full, hidden, empty)
    target.ask(
        f"grant execute on {full}.* to {target.account(login)}", *(f"grant event on {name}.* to {target.account(login)}" for name in names)
    )
    statement = f"GRANT {cure} ON *.* TO {target.account(login)};"
    assert measure(target, *names, login=login) == [MissingSize(name, Reason.NO_PERMISSION, statement) for name in names]
    target.ask(statement)
    assert measure(target, *names, login=login) == measure(target, *names)
    assert total_bytes(target, empty, login) == 0


def test_privileges_on_one_schema_are_enough_for_that_schema(target: Target) -> None:
    mine, others = target.create_schema(), target.create_schema()
    for schema in (mine, others):
        target.fill(schema, "plain", 100)
        target.fill(schema, "other", 100, "engine=MyISAM")
    login = target.create_login("PROCESS")
    target.ask(f"grant show view on {mine}.* to {target.account(login)}", f"grant select on {others}.other to {target.account(login)}")
    assert total_bytes(target, mine, login) == total_bytes(target, mine) > 0
    assert missing(target, others, Reason.NO_PERMISSION, login) == f"GRANT SHOW VIEW ON *.* TO {target.account(login)};"


def test_a_login_of_the_mysql_schema_alone_does_not_see_everything(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login("PROCESS")
    target.fill(schema, "other", 100, "engine=MyISAM")
    target.ask(f"grant select on mysql.* to {target.account(login)}", f"grant event on {schema}.* to {target.account(login)}")
    missing(target, schema, Reason.NO_PERMISSION, login)


def test_privileges_may_be_granted_through_a_role(target: Target) -> None:
    schema, login, role = target.create_schema(), target.create_login(""), new_name("role")
    target.fill(schema, "other", 100, "engine=MyISAM")
    account = target.account(login)
    default = f"set default role {role} {'for' if target.family == 'mariadb' else 'to'} {account}"
    target.ask(f"create role {role}", f"grant {RIGHTS} on *.* to {role}", f"grant {role} to {account}", default)
    try:
        assert total_bytes(target, schema, login) == total_bytes(target, schema)
    finally:
        target.ask(f"drop role {role}")


def test_none_of_the_privileges_reads_a_row(target: Target) -> None:
    schema, login = target.create_schema(), target.create_login()
    target.fill(schema, "secret", 10)
    connection = pymysql.connect(host=target.host, port=target.port, user=login.username, password=(login.password or "").encode())
    with connection, connection.cursor() as cursor, pytest.raises(pymysql.OperationalError, match="SELECT command denied"):
        cursor.execute(f"select * from {schema}.secret")


def test_a_privilege_revoked_on_one_schema_is_missing_only_there(mysql: Target) -> None:
    schema, revoked, login = mysql.create_schema(), mysql.create_schema("re`voked_%s"), mysql.create_login()
    (before,) = mysql.ask("select @@global.partial_revokes")
    mysql.ask("set global partial_revokes = on", f"revoke show view on {quoted(revoked)}.* from {mysql.account(login)}")
    try:
        mysql.fill(revoked, "plain", 100)
        mysql.fill(revoked, "other", 100, "engine=MyISAM")
        with probing(mysql, login) as probe:
            assert {schema, revoked} <= set(probe.list_databases())
        assert total_bytes(mysql, schema, login) == 0
        cure = missing(mysql, revoked, Reason.NO_PERMISSION, login)
        mysql.ask(cure)
        assert total_bytes(mysql, revoked, login) == total_bytes(mysql, revoked) > 0
    finally:
        mysql.drop_created()
        mysql.ask(f"set global partial_revokes = {before[0]}")


def test_schemas_that_the_login_does_not_see_are_listed_by_their_tablespaces_and_missing(target: Target) -> None:
    login = target.create_login("PROCESS")
    names = [target.create_schema(name) for name in (None, None, "sl/ash", "ünseen.数据", "aux")]
    for name in names:
        target.fill(name, "plain", 100)
    for name in names[:2]:
        target.ask(f"grant select on {name}.* to {target.account(login)}")
    if target.family == "mysql":
        names += [target.create_schema(name) for name in ("in-general", "gén-数")]
        target.ask("create tablespace unseen_space add datafile 'unseen.ibd'")
        for name in names[-2:]:
            target.fill(name, "plain", 10, "tablespace unseen_space")
    try:
        with probing(target, login) as probe:
            listed = set(probe.list_databases())
            outcomes = {outcome.database_name: outcome for outcome in probe.measure(list(listed))}
            (statement,) = (right.statement for right in probe.privileges() if not (right.is_held or right.is_optional))
        encoded = "#mysql50#g@0pn@002d@6570"  # MySQL does not reveal which letter this is to a login that does not see the schema
        hidden = {encoded if name == "gén-数" else name for name in names[2:]} | {"mysql"}
        assert hidden | set(names[:2]) <= listed
        assert {outcomes[name] for name in hidden} == {MissingSize(name, Reason.NO_PERMISSION, statement) for name in hidden}
        assert [outcomes[name] for name in names[:2]] == measure(target, *names[:2])
        target.ask(statement)
        with probing(target, login) as probe:
            assert set(names) <= set(probe.list_databases())
            assert encoded not in probe.list_databases()
            assert all(isinstance(outcome, DatabaseSize) for outcome in probe.measure(names))
    finally:
        target.drop_created()
        if target.family == "mysql":
            target.ask("drop tablespace unseen_space")


@pytest.mark.parametrize("grant", ["", "grant insert on {0}.absent to {1}"])
def test_a_login_that_sees_no_schema_fails_with_the_grant(target: Target, grant: str) -> None:
    schema, login = target.create_schema(), target.create_login("")
    if grant:
        target.ask(f"create table {schema}.absent (id int)", grant.format(schema, target.account(login)))
    statement = f"GRANT PROCESS, SHOW VIEW ON *.* TO {target.account(login)};"
    with probing(target, login) as probe:
        assert [right.statement for right in probe.privileges() if not (right.is_held or right.is_optional)] == [statement]
        if grant:
            assert schema in probe.list_databases()
            assert probe.measure([schema]) == [MissingSize(schema, Reason.NO_PERMISSION, statement)]
        else:
            with failure(Reason.NO_PERMISSION, SizesError, login.password) as sentences:
                probe.list_databases()
            assert sentences[0].endswith(f"shows this login no schemas at all: {statement}")
