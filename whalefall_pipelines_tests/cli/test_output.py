"""Tables in terminals that are narrower than what is in them."""

import pytest

from whalefall_pipelines.cli.output import print_table


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("narrow")
def test_the_name_for_the_next_command_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    name = "0f8fad5b-d9cb-469f-a165-70867728950e"
    print_table(("session", "said"), [{"session": name, "said": "x" * 90}], as_json=False, empty="")
    shown = capsys.readouterr().out
    assert name in shown
    assert shown.count("x") == 90


@pytest.mark.usefixtures("narrow")
def test_a_name_that_is_too_long_is_folded_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "active"), [{"name": "q" * 90, "active": "yes"}], as_json=False, empty="")
    shown = capsys.readouterr().out
    assert shown.count("q") == 90
    assert "q" * 61 not in shown
    assert "yes" in shown
