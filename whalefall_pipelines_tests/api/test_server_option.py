"""`whalefall --server URL`: a laptop asks an installation elsewhere, and gets what that installation prints itself."""

from pathlib import Path

import pytest

from whalefall_pipelines.accounts import questions as accounts
from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api.model import MadeToken
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.capacity import questions as capacity
from whalefall_pipelines.forecasts import questions as forecasts
from whalefall_pipelines.growth import questions as growth
from whalefall_pipelines.inventory import questions as inventory
from whalefall_pipelines.runtime.source import Question, Server
from whalefall_pipelines.sessions.cli.sessions import NEWEST
from whalefall_pipelines_tests.api.site import Site
from whalefall_pipelines_tests.cli.commands import refused, succeed
from whalefall_pipelines_tests.factories import query

QUESTIONS = [
    NEWEST,
    *(known for room in (accounts, capacity, forecasts, growth, inventory) for known in vars(room).values() if isinstance(known, Question)),
]
ASKED = (
    ("top",),
    ("top", "--json", "--limit", "3"),
    ("top", "--by", "instance", "--csv"),
    ("top", "--by", "tag:env", "--json"),
    ("history", "orders/shop", "--since", "9d", "--json"),
    ("history", "orders", "--since", "5d"),
    ("growth", "--since", "5d", "--json"),
    ("growth", "--since", "5d", "--by", "instance"),
    ("growth", "--since", "5d", "--by", "tag:env", "--json"),
    ("growth", "--since", "5d", "--by", "database", "--tables", "--csv"),
    ("runway",),
    ("forecasts", "score", "--json"),
    ("forecasts", "changes"),
    ("gaps",),
    ("gaps", "--days", "5", "--reason", "timeout", "--json"),
    ("coverage",),
    ("coverage", "--days", "5", "--json"),
    ("sessions", "list", "--json"),
    ("instances", "list", "--json"),
    ("instances", "list", "--engine", "oracle"),
    ("accounts", "list", "--json"),
    ("accounts", "list", "--as-of", "2020-01-01"),
)


@pytest.fixture
def laptop(reading: Site, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without an installation."""
    token = reading.token(Scope.READ, has_access=True)
    return {"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_SERVER": reading.url, "WHALEFALL_TOKEN": token}


def test_every_question_is_answered_as_on_the_installation(reading: Site, laptop: dict[str, str]) -> None:
    here = {"WHALEFALL_HOME": laptop["WHALEFALL_HOME"], "WHALEFALL_DATABASE_URL": reading.store.url.render_as_string(hide_password=False)}
    for command in ASKED:
        expected = succeed(here, *command)
        if "--engine" not in command:
            assert succeed(laptop, *command) == expected, command
        else:
            assert reading.url in succeed(laptop, *command)


def test_a_long_list_is_followed(running: Site, tmp_path: Path) -> None:
    statement = (
        "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, total_instances)"
        " select gen_random_uuid(), 'partition', 'manual_task', current_date, current_date, 0 from generate_series(1, 450) returning 1"
    )
    query(running.store, statement)
    elsewhere = {"WHALEFALL_HOME": str(tmp_path), "WHALEFALL_SERVER": running.url, "WHALEFALL_TOKEN": running.token(Scope.READ)}
    assert len(succeed(elsewhere, "sessions", "list", "--csv", "--limit", "430").splitlines()) == 431


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.path)
def test_a_question_has_a_route(question: Question[object]) -> None:
    assert "get" in create_app().openapi()["paths"][f"/api/v1{question.path}"]


@pytest.mark.parametrize("command", [("collect",), ("sessions", "cancel", "1"), ("store", "migrate"), ("tokens", "create", "x"), ("up",)])
def test_what_needs_the_machine_is_refused_before_it_does_anything(laptop: dict[str, str], command: tuple[str, ...]) -> None:
    assert "needs the machine of the installation" in refused(laptop, *command)
    assert list(Path(laptop["WHALEFALL_HOME"]).iterdir()) == []


def test_what_cannot_be_answered_is_told(laptop: dict[str, str]) -> None:
    assert "--by is" in refused(laptop, "growth", "--by", "colour")
    assert "--since 9000d" not in refused(laptop, "history", "nowhere")  # the sentence of the server


def test_no_token_is_in_a_repr() -> None:
    token = "wf_" + "x" * 43
    assert token not in repr(Server("https://whalefall.example", token))
    assert token not in repr(MadeToken(1, "laptop", Scope.READ, has_access=False, expires_at=None, secret=token))


def test_tokens_are_not_sent_in_the_clear(laptop: dict[str, str], tmp_path: Path) -> None:
    assert "use https" in refused(laptop, "--server", "http://whalefall.example", "top")
    for address in ("whalefall.example", "https://someone:not-to-be-seen@whalefall.example"):
        refusal = refused(laptop, "--server", address, "top")
        assert "has no address that can be used" in refusal
        assert "not-to-be-seen" not in refusal
    assert "no token" in refused({**laptop, "WHALEFALL_TOKEN": ""}, "top")
    file = tmp_path / "token"
    file.write_text(laptop["WHALEFALL_TOKEN"] + "\n", encoding="utf-8")
    assert "orders" in succeed({**laptop, "WHALEFALL_TOKEN": ""}, "--token-file", str(file), "top")


def test_what_the_server_refuses_is_told(laptop: dict[str, str], reading: Site) -> None:
    stranger = {**laptop, "WHALEFALL_TOKEN": "wf_" + "x" * 43}
    assert "needs a token" in refused(stranger, "top")
    without = {**laptop, "WHALEFALL_TOKEN": reading.token(Scope.READ)}
    assert "access to accounts" in refused(without, "accounts", "list")
    assert "does not answer" in refused({**laptop, "WHALEFALL_SERVER": "http://127.0.0.1:1"}, "top")
