"""Our statements for SQL Server are T-SQL, and the server for tests answers only them and is as strict as the real one."""

from contextlib import closing

import pytest
import sqlglot
from sqlglot import exp

from whalefall_pipelines_tests.servers.sqlserver import engine
from whalefall_pipelines_tests.servers.sqlserver.catalogue import Catalogue
from whalefall_pipelines_tests.servers.sqlserver.engine import Caller, execute, of_file, statement_names
from whalefall_pipelines_tests.servers.sqlserver.messages import ServerError

CALLER = Caller("monitor", "master")


def refusal(text: str, *, also_known: str | None = None) -> ServerError:
    with closing(Catalogue()) as catalogue:
        catalogue.add_login("monitor", "secret", "sysadmin")
        with pytest.raises(ServerError) as caught:
            execute(catalogue, CALLER, text, also_known=also_known)
    return caught.value


@pytest.mark.parametrize("name", statement_names())
def test_it_is_one_select_in_t_sql(name: str) -> None:
    (tree,) = sqlglot.parse(of_file(name), read="tsql")
    assert isinstance(tree, exp.Select)
    assert not list(tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Command, exp.Into))


@pytest.mark.parametrize("name", statement_names())
def test_it_asks_for_no_column_that_it_does_not_name(name: str) -> None:
    tree = engine.parse(of_file(name))
    assert not list(tree.find_all(exp.Star))
    assert all(column.alias_or_name for column in tree.selects)  # pyright: ignore[reportAttributeAccessIssue] - a query has it


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("select name from sys.tables", 102),
        ("drop database shop", 102),
        ("this is no statement (", 102),
        (of_file("list_databases") + " and 1 = 1", 102),
    ],
)
def test_the_server_for_tests_answers_nothing_else(text: str, number: int) -> None:
    assert refusal(text).number == number


def test_a_sum_of_int_overflows_as_the_real_one_does() -> None:
    """Without the cast in measure_databases.sql a database of 16 TB would be an error."""
    careless = "select sum(size) as pages from sys.master_files"
    with closing(Catalogue()) as catalogue:
        catalogue.add_login("monitor", "secret", "VIEW ANY DEFINITION")
        assert execute(catalogue, CALLER, careless, also_known=careless).rows == ((4 * 1100,),)
        catalogue.add_database("huge", data_pages=(2**31 - 1, 2**31 - 1))
        with pytest.raises(ServerError) as caught:
            execute(catalogue, CALLER, careless, also_known=careless)
    assert caught.value.number == 8115


@pytest.mark.parametrize(
    ("careless", "number"),
    [("select nope from sys.databases", 207), ("select name from sys.nope", 208), ("select nope(name) as x from sys.databases", 208)],
)
def test_what_the_catalogue_does_not_have_is_an_error(careless: str, number: int) -> None:
    assert refusal(careless, also_known=careless).number == number
