"""Every statement of `sql/` is tested automatically: its header, its caller, and whether the server can prepare it."""

import re
from pathlib import Path

import pytest
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.forecasts.store.binary import Blocks
from whalefall_pipelines.store.database import Database

PACKAGE = Path(queries.__file__).parent
# Statements for servers other than the store.
ELSEWHERE = ("probes", "doctor/dagster", "retention/dagster", "demo/postgresql", "demo/mariadb", "runtime")
STATEMENTS = sorted(path.relative_to(queries.SQL_ROOT).with_suffix("").as_posix() for path in queries.SQL_ROOT.rglob("*.sql"))
OF_THE_STORE = [name for name in STATEMENTS if not name.startswith((*ELSEWHERE, "schema"))]


def loaded_names() -> set[str]:
    """What the package asks `queries.load` for; a name with a placeholder stands for every statement that fits it."""
    folders = "|".join(sorted(path.name for path in queries.SQL_ROOT.iterdir()))
    texts = [path.read_text() for path in PACKAGE.rglob("*.py")]
    names = {name for text in texts for name in re.findall(r'(?:load|_rows|_run|_all|_composed)\(\s*f?"([a-z_{][a-z_/{}.]*)"', text)}
    return names | {name for text in texts for name in re.findall(rf'"((?:{folders}|{{area\.name}})/[a-z_/{{}}.]+)"', text)}


def fits(name: str, pattern: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{.*?\\\}", ".+", re.escape(pattern)), name) is not None


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_begins_with_purpose_parameters_and_result(name: str) -> None:
    lines = queries.load(name).splitlines()
    comments = lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
    text = "\n".join(comments)
    assert comments[0].startswith("-- ")
    assert re.search(r"^-- Parameters: ", text, re.MULTILINE)
    assert re.search(r"^-- Returns: ", text, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.startswith("schema")])
def test_every_statement_is_loaded(name: str) -> None:
    assert any(fits(name, pattern) for pattern in loaded_names())


def test_no_missing_statement_is_loaded() -> None:
    lost = {pattern for pattern in loaded_names() if "/" in pattern and not any(fits(name, pattern) for name in STATEMENTS)}
    assert lost == set()


@pytest.mark.parametrize("name", OF_THE_STORE)
def test_the_server_can_prepare_it(store: Database, name: str) -> None:
    text = "\n".join(line for line in queries.load(name).splitlines() if not line.startswith("--"))
    placeholders = re.findall(r"\{(\w+)\}", text)
    with store.transaction() as cursor:
        for staging in (name for name in OF_THE_STORE if name.endswith("/create_staging")):
            cursor.execute(queries.load(staging))
        if placeholders:  # DDL takes no parameters and cannot be prepared: it is composed, and executed by the tests of its own module
            assert sql.SQL(text).format(**{name: sql.Identifier("x") for name in placeholders}).seq
        elif text.split(maxsplit=1)[0] in {"create", "analyze", "savepoint"}:
            cursor.execute(text)
        elif text.startswith("copy "):
            cursor.copy(sql.SQL(text), Blocks(()))
        elif text.startswith("rollback to"):
            cursor.execute(queries.load("store/set_savepoint"))
            cursor.execute(text)
        else:
            numbers: dict[str, int] = {}
            numbered = re.sub(r"%\((\w+)\)s", lambda match: f"${numbers.setdefault(match.group(1), len(numbers) + 1)}", text)
            cursor.execute("prepare tested as " + numbered.replace("%%", "%"))


def test_two_advisory_locks_never_have_one_number() -> None:
    """Changing the fleet once blocked partition maintenance, and vice versa."""
    folders: dict[str, set[str]] = {}
    for name in STATEMENTS:
        for number in re.findall(r"advisory_\w+\((\d+)", queries.load(name)):
            folders.setdefault(number, set()).add(name.partition("/")[0])
    assert len(folders) > 4
    assert {number: areas for number, areas in folders.items() if len(areas) > 1} == {}
