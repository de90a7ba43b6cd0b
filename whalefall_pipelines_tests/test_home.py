"""Which installation a command belongs to: the named one, the nearest one upwards, then that of the user. Looking makes nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.home import find_home
from whalefall_pipelines_tests.cli.commands import refused


def test_the_variable_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".whalefall").mkdir()
    assert find_home({"WHALEFALL_HOME": str(tmp_path / "named")}, tmp_path) == tmp_path / "named"
    assert find_home({"WHALEFALL_HOME": ""}, tmp_path) == tmp_path / ".whalefall"


def test_the_nearest_home_upwards_is_used(tmp_path: Path) -> None:
    below = tmp_path / "project" / "deep" / "deeper"
    below.mkdir(parents=True)
    (tmp_path / ".whalefall").mkdir()
    assert find_home({}, below) == tmp_path / ".whalefall"
    (tmp_path / "project" / "whalefall.toml").write_text("")
    assert find_home({}, below) == tmp_path / "project" / ".whalefall"
    (tmp_path / "project" / "whalefall.toml").write_text('home = "data"')
    (tmp_path / "project" / ".whalefall").mkdir()
    assert find_home({}, below) == tmp_path / "project" / "data"
    (tmp_path / "project" / "whalefall.toml").write_text(f'home = "{tmp_path}/elsewhere"')
    assert find_home({}, below) == tmp_path / "elsewhere"


def test_a_home_of_another_user_is_not_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "shared" / "deep"
    below.mkdir(parents=True)
    (tmp_path / ".whalefall").mkdir()
    (tmp_path / "shared" / "whalefall.toml").write_text("")
    (tmp_path / "shared" / ".whalefall").mkdir()
    monkeypatch.setattr(Path, "stat", _as_of_another_user(tmp_path / "shared", Path.stat))
    assert find_home({}, below) == tmp_path / ".whalefall"


def _as_of_another_user(folder: Path, stat: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def pretended(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        real = stat(path, follow_symlinks=follow_symlinks)
        return os.stat_result((*real[:4], 4711, *real[5:])) if path.is_relative_to(folder) else real

    return pretended


def test_without_one_it_is_the_data_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_home({}, tmp_path) == tmp_path / ".local" / "share" / "whalefall"
    assert find_home({"XDG_DATA_HOME": str(tmp_path / "data")}, tmp_path) == tmp_path / "data" / "whalefall"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_home({}, tmp_path) == Path("/var/lib/whalefall")


@pytest.mark.parametrize("text", ["home = 1", 'homes = "x"', "home", 'home = ""'])
def test_a_mark_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "whalefall.toml").write_text(text)
    with pytest.raises(InputError, match=r"whalefall\.toml"):
        find_home({}, tmp_path)


@pytest.mark.parametrize(
    "command", [("instances", "list"), ("top",), ("sessions", "list"), ("coverage",), ("store", "url"), ("partitions", "plan"), ("verify",)]
)
def test_a_command_that_reads_makes_no_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    (tmp_path / "whalefall.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WHALEFALL_HOME", raising=False)
    monkeypatch.delenv("WHALEFALL_DATABASE_URL", raising=False)
    assert f"There is no store in {tmp_path / '.whalefall'} yet" in refused({}, *command)
    assert [path.name for path in tmp_path.iterdir()] == ["whalefall.toml"]
