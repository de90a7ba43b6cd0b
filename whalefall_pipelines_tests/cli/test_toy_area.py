"""A new area takes a folder and one line, as CONTRIBUTING says: in a copy of the package its asset, table, command and check appear."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import REPOSITORY, Home
from whalefall_pipelines_tests.factories import query

pytestmark = pytest.mark.process
TOYS = REPOSITORY / "whalefall_pipelines_tests" / "toy_area"
BEFORE = 'AREAS = (\n    "installation",\n'


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkout whose whalefall has an additional area."""
    folder = tmp_path / "checkout"
    for name in ("whalefall_pipelines", "sql"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(TOYS / "room", folder / "whalefall_pipelines" / "toys", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOYS / "statements", folder / "sql" / "toys")
    shutil.copy(TOYS / "9000_toys.sql", folder / "sql" / "schema")
    module = folder / "whalefall_pipelines" / "areas.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    module.write_text(text.replace(BEFORE, BEFORE + '    "toys",\n'), encoding="utf-8")
    return folder


def test_a_new_area_is_one_folder_and_one_line(prepared_home: Callable[..., Home], copied: Path) -> None:
    home = prepared_home({}, copied)
    assert "Count the toys." in home.succeed("--help")
    home.succeed("store", "migrate")
    assert home.succeed("toys") == "0 toys\n"
    assert "toy_stats" in home.succeed("partitions", "create")
    with closing(open_database(load_settings({"WHALEFALL_HOME": str(home.folder)}))) as store:
        (months,) = query(store, "select count(*) from pg_partition_tree('toy_stats') where isleaf")[0]
    assert months == 4
    assert "grant delete on toy_stats" in home.succeed("store", "roles")
    checks = json.loads(home.run("doctor", "--json", "--no-instances").stdout)
    assert [check["found"] for check in checks if check["check"] == "toys"] == ["0 toys."]
    program = "from whalefall_pipelines.definitions import defs; print(*defs.resolve_asset_graph().get_all_asset_keys())"
    keys = subprocess.run(
        [sys.executable, "-c", program],
        cwd=copied,
        env=os.environ | {"PYTHONPATH": str(copied)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "AssetKey(['toys'])" in keys.stdout
