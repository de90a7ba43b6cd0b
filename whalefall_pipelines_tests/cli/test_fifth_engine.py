"""A fifth engine takes what CONTRIBUTING says: a folder with a module, a folder of statements, one line; added to a copy of the package."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import REPOSITORY, Home
from whalefall_pipelines_tests.factories import query

pytestmark = pytest.mark.process
FIFTH = REPOSITORY / "whalefall_pipelines_tests" / "fifth_engine"
BEFORE = '    ORACLE = "oracle", 1521, '
LINE = '    TOYBOX = "toybox", 4711, ("attic",)\n'


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkout whose whalefall knows toyboxes."""
    folder = tmp_path / "checkout"
    for name in ("whalefall_pipelines", "sql"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / "whalefall_pipelines" / "fleet" / "toybox").mkdir()
    shutil.copy(FIFTH / "adapter.py", folder / "whalefall_pipelines" / "fleet" / "toybox" / "sizes.py")
    shutil.copytree(FIFTH / "statements", folder / "sql" / "probes" / "toybox")
    module = folder / "whalefall_pipelines" / "domain" / "instances.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    module.write_text(text.replace(BEFORE, LINE + BEFORE), encoding="utf-8")
    return folder


@pytest.fixture
def toybox(tmp_path: Path) -> Path:
    file = tmp_path / "toybox.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("create table shelves (name text, bytes integer)")
        connection.executemany("insert into shelves values (?, ?)", [("bears", 12), ("bricks", 30), ("attic", 1), ("locked", None)])
    return file


def test_a_new_engine_is_one_module_one_folder_and_one_line(
    prepared_home: Callable[..., Home], copied: Path, toybox: Path, tmp_path: Path
) -> None:
    home = prepared_home({"MONITOR_TOY_PASSWORD": "secret", "WHALEFALL_FAIL_BELOW_COVERAGE": "0.6"}, copied)
    login = ("--username", "child", "--secret", "env:MONITOR_TOY_PASSWORD", "--host", "127.0.0.1")
    home.succeed("instances", "add", "nursery", "--engine", "toybox", "--database", str(toybox), *login)
    home.succeed("instances", "add", "gone", "--engine", "toybox", "--port", "4712", "--database", str(tmp_path / "none"), *login)

    tested = home.run("instances", "test", "--json")
    gone, nursery = sorted(json.loads(tested.stdout), key=lambda row: row["name"])
    keys = ("version", "visible", "hidden", "measurable", "total_bytes")
    assert [nursery[key] for key in keys] == ["Toybox 1", 4, 1, 2, 42]
    assert nursery["address"] == "127.0.0.1:4711"
    assert nursery["missing"] == [{"database": "locked", "reason": "no_permission", "detail": "OPEN locked;"}]
    assert (gone["result"], tested.returncode) == ("connection_refused", 1)

    collected = home.run("collect")  # through Dagster
    assert collected.returncode == 1
    assert "The day failed in Dagster: 2 of 4 expected databases were measured." in collected.stderr
    # The first collect leaves nothing undone that Dagster's daemon would do later.
    assert "all aggregations match" in home.succeed("verify")
    assert "the current month and the months ahead exist" in home.run("doctor", "--no-instances").stdout
    with closing(open_database(load_settings({"WHALEFALL_HOME": str(home.folder)}))) as store:
        columns = "database_name, total_bytes, used_bytes, provenance, method"
        assert query(store, f"select {columns} from database_size_stats order by 1") == [
            ("bears", 12, None, "measured", "shelf_length"),
            ("bricks", 30, None, "measured", "shelf_length"),
        ]
        assert query(store, "select database_name, reason from capacity_gaps order by 1") == [
            ("locked", "no_permission"),
            (None, "connection_refused"),
        ]
        assert query(store, "select error_code from sync_instance_records where status = 'failed'") == [("DATABASE_CONNECTION_ERROR",)]
