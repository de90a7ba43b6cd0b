"""`whalefall instances import`: first the plan, then the whole file or nothing."""

from pathlib import Path
from textwrap import dedent

import pytest

from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.fleet_entries import INSTANCE_KEYS
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, refused, succeed
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

FLEET = """
defaults: {engine: postgresql, credential: shared}
credentials:
  - {name: shared, username: monitor, secret: env:MONITOR_SHARED}
instances:
  - {name: a, host: h.invalid}
  - {name: b, host: b.invalid, tags: {env: prod}}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET, encoding="utf-8")
    return path


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_the_plan_is_shown_and_carried_out(store: Database, store_environment: dict[str, str], fleet: Path) -> None:
    text = succeed(store_environment, "instances", "import", "--yes", str(fleet))
    assert rows(text)[:4] == [
        ["action", "what", "name", "changes"],
        ["add", "credential", "shared", "–"],
        ["add", "instance", "a", "–"],
        ["add", "instance", "b", "–"],
    ]
    assert "2 to add, 0 to change, 0 to restore, 0 unchanged; 0 more" in text
    assert [instance.name for instance in active_instances(store)] == ["a", "b"]


def test_a_dry_run_shows_the_plan_and_changes_nothing(store: Database, store_environment: dict[str, str], fleet: Path) -> None:
    assert "2 to add" in succeed(store_environment, "instances", "import", "--dry-run", str(fleet))
    assert active_instances(store) == ()


def test_a_second_import_shows_what_changes_and_what_stays(store: Database, store_environment: dict[str, str], fleet: Path) -> None:
    succeed(store_environment, "instances", "import", "--yes", str(fleet))
    succeed(store_environment, "instances", "add", "own", "--engine", "mysql", "--host", "own.invalid", "--credential", "shared")
    text = succeed(store_environment, "instances", "import", "--yes", str(fleet))
    assert "already registered" in text
    assert "2 unchanged; 1 more is registered, not in the file, and stays as it is." in text
    changed = FLEET.replace("env: prod", "env: test").replace("env:MONITOR_SHARED", "env:MONITOR_NEW")
    fleet.write_text(changed.replace("name: a, host: h.invalid", "name: c, host: c.invalid"))
    succeed(store_environment, "instances", "remove", "--yes", "a")
    text = succeed(store_environment, "instances", "import", "--yes", str(fleet))
    assert "secret env:MONITOR_SHARED → env:MONITOR_NEW" in text
    assert "tags env=prod → env=test" in text
    assert "shared is also used by own" in text
    assert "1 to add, 1 to change, 0 to restore, 0 unchanged; 1 more" in text
    fleet.write_text(changed)
    text = succeed(store_environment, "instances", "import", "--yes", str(fleet))
    assert ["restore", "instance", "a", "–"] in rows(text)


def test_all_bad_rows_are_reported_and_nothing_is_changed(store: Database, store_environment: dict[str, str], fleet: Path) -> None:
    bad = ("{name: c, host: h, port: x}", "{name: d, host: h, prot: 1}", "{name: e, host: h, credential: nobody}")
    fleet.write_text(FLEET + "".join(f"  - {entry}\n" for entry in bad))
    output = refused(store_environment, "instances", "import", "--yes", str(fleet))
    assert [line.strip().split(":")[0] for line in output.splitlines()[1:]] == ["line 8", "line 9", "line 10"]
    assert active_instances(store) == ()


def test_a_csv_file_is_the_same_to_import(store: Database, store_environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    rows = [
        f'"{name.replace(chr(34), chr(34) * 2)}",postgresql,h{number}.invalid,u,env:MONITOR_X\n'
        for number, name in enumerate(HOSTILE_NAMES)
    ]
    quoted = "".join(rows)
    path.write_bytes(b"\xef\xbb\xbf" + f"name,engine,host,username,secret\n{quoted}".encode())
    text = succeed(store_environment, "instances", "import", "--yes", str(path))
    assert "\x1b" not in text
    assert [instance.name for instance in active_instances(store)] == list(HOSTILE_NAMES)
    assert f"{len(HOSTILE_NAMES)} unchanged" in succeed(store_environment, "instances", "import", "--yes", str(path))


def test_an_encrypted_password_survives_an_import_that_names_its_login(store_environment: dict[str, str], fleet: Path) -> None:
    add = ("instances", "add", "a", "--engine", "postgresql", "--host", "old", "--username", "monitor", "--password-prompt")
    succeed(store_environment, *add, typed="canary\n")
    fleet.write_text("- {name: a, engine: postgresql, host: new, username: monitor}")
    succeed(store_environment, "instances", "import", "--yes", str(fleet))
    shown = document(store_environment, "instances", "show", "a")
    assert (shown["host"], shown["secret"]) == ("new", "encrypted")


def test_a_file_that_cannot_be_used_is_one_sentence(store_environment: dict[str, str], fleet: Path, tmp_path: Path) -> None:
    for path, word in ((tmp_path / "gone.yaml", "no file"), (tmp_path / "fleet", "must end in")):
        assert word in refused(store_environment, "instances", "import", "--yes", str(path))
    fleet.write_text("a: b: c")
    assert "line 1" in refused(store_environment, "instances", "import", "--yes", str(fleet))


def test_the_help_is_true(store_environment: dict[str, str], fleet: Path) -> None:
    del store_environment["WHALEFALL_SECRET_FOLDERS"]
    text = " ".join(succeed(store_environment, "instances", "import", "--help").split())
    for key in INSTANCE_KEYS:
        assert key in text
    text = succeed(store_environment, "instances", "import", "--help")
    example = text[text.index("  defaults:") : text.index("  Keys of an instance")]
    fleet.write_text(dedent(example))
    assert "2 to add" in succeed(store_environment, "instances", "import", "--yes", str(fleet))
