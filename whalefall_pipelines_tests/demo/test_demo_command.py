"""`whalefall demo` where there is nothing to do; `documents/test_commands.py` runs the whole demo."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from whalefall_pipelines.demo.demo_day import demo_console
from whalefall_pipelines.installation.uninstall import plan_uninstallation
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import Home

pytestmark = pytest.mark.process


def test_its_console_runs_until_it_is_stopped_and_is_known_to_the_uninstallation(
    prepared_home: Callable[..., Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = prepared_home()
    monkeypatch.delenv("WHALEFALL_TIMEZONE", raising=False)  # that of the tests is not that of this home
    settings = load_settings(home.environment)
    console = demo_console(settings)
    process_id = console.start()
    try:
        assert console.start() == process_id
        assert "Sign in" in httpx.get(f"{console.url}/sign-in", trust_env=False).text
        assert any(str(process_id) in running for running in plan_uninstallation(settings, home.environment).running)
    finally:
        assert console.stop()
    assert not console.stop()


def test_stopping_what_never_ran_leaves_no_trace(tmp_path: Path) -> None:
    result = Home(tmp_path / "home").run("demo", "--stop")
    assert (result.returncode, result.stderr) == (0, "nothing was running\n")
    assert not (tmp_path / "home").exists()


def test_it_is_refused_beside_servers_of_ones_own_and_leaves_their_calendar_alone(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    home.succeed("instances", "add", "own", "--engine", "postgresql", "--host", "db.example", "--username", "me")
    result = home.run("demo")
    assert (result.returncode, result.stdout) == (2, "")
    assert "monitors servers of your own (own)" in result.stderr
    assert "WHALEFALL_HOME" in result.stderr
    assert len(result.stderr.splitlines()) == 2, result.stderr  # what it does and why it refuses; no remains of a progress bar
    assert not (home.folder / "settings.env").exists()
