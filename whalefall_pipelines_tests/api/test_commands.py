"""`whalefall tokens` and `whalefall audit`."""

import json
from collections.abc import Iterator

import click
import httpx
import pytest

from whalefall_pipelines.cli.audited import CHANGING
from whalefall_pipelines.cli.main import main
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import site
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query, register


def test_a_token_is_made_listed_used_and_revoked(store: Database, store_environment: dict[str, str], tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = succeed(store_environment, "tokens", "create", "nightly", "--scope", "operate", "--days", "7").strip()
    assert secret.startswith("wf_")
    (row,) = json.loads(succeed(store_environment, "tokens", "list", "--json"))
    assert (row["name"], row["scope"], row["access"], row["revoked_at"]) == ("nightly", "operate", False, None)
    assert secret not in json.dumps(row)
    with site(store, tmp_path) as running:
        asked = httpx.get(f"{running.url}/api/v1/me", headers={"Authorization": f"Bearer {secret}"}, trust_env=False)
    assert asked.json()["data"]["name"] == "nightly"
    assert "nightly" in whalefall(store_environment, "tokens", "revoke", str(row["token_id"])).stderr
    assert "no valid token" in refused(store_environment, "tokens", "revoke", str(row["token_id"]))
    (used,) = query(store, "select last_used_on from api_tokens")
    assert used[0] is not None


def test_names_are_unique_among_living_tokens(store_environment: dict[str, str]) -> None:
    succeed(store_environment, "tokens", "create", "nightly")
    assert "already" in refused(store_environment, "tokens", "create", "nightly")
    succeed(store_environment, "tokens", "revoke", "1")
    succeed(store_environment, "tokens", "create", "nightly")


@pytest.mark.parametrize("name", ["", " a", "a\x1b[2J", "ü" * 3, "x" * 101, "a'b"])
def test_an_unfit_name_is_refused(store_environment: dict[str, str], name: str) -> None:
    assert "name of a token" in refused(store_environment, "tokens", "create", "--", name)


def test_a_link_signs_in(store: Database, store_environment: dict[str, str]) -> None:
    link = succeed(store_environment, "tokens", "link", "--url", "https://sizes.example/").strip()
    assert link.startswith("https://sizes.example/sign-in?link=wf_")
    (row,) = query(store, "select kind, expires_at from api_tokens")
    assert row[0] == "link"
    assert 0 < (row[1] - system_clock()).total_seconds() <= 600  # type: ignore[operator]


def test_commands_are_audited_without_secrets(store_environment: dict[str, str]) -> None:
    secret = succeed(store_environment, "tokens", "create", "nightly", "--access").strip()
    succeed(store_environment, "tokens", "revoke", "1")
    rows = json.loads(succeed(store_environment, "audit", "--json"))
    assert [(row["method"], row["path"]) for row in rows] == [
        ("COMMAND", "tokens revoke 1"),
        ("COMMAND", "tokens create nightly"),
    ]
    assert secret not in json.dumps(rows)


# Commands that only show or measure something, start runs, which sessions tell of, or work on the installation itself.
UNAUDITED = {
    *("up", "env", "service install", "uninstall", "audit", "demo", "simulate", "worker", "collect", "coverage", "gaps", "top", "history"),
    *("disk", "growth", "aggregate", "verify", "runway", "report", "doctor", "tokens list", "instances list", "instances show"),
    *("instances test", "sessions list", "sessions show", "retention footprint", "retention plan"),
    *(f"store {name}" for name in ("migrate", "roles", "rotate-key", "set-timezone", "start", "status", "stop", "url")),
    *(f"tables {name}" for name in ("coverage", "history", "show")),
    *(f"forecasts {name}" for name in ("changes", "make", "score")),
    *(f"accounts {name}" for name in ("changes", "classes", "classify", "drift", "export", "list", "reach", "show", "sync", "who-can")),
    *(f"rules {name}" for name in ("classes", "explain", "list", "replay", "show", "test")),
    *(f"alerts {name}" for name in ("list", "send", "show", "test-channel", "rules conditions", "rules list", "rules show")),
    *(f"partitions {name}" for name in ("list", "plan")),
}


def leaves(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command without subcommands."""
    with click.Context(group) as ctx:
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            if isinstance(command, click.Group):
                yield from leaves(command, (*words, name))
            else:
                yield " ".join((*words, name))


def test_every_command_is_audited_or_changes_nothing() -> None:
    assert set(leaves(main)) == CHANGING | UNAUDITED
    assert not CHANGING & UNAUDITED


def test_a_change_of_the_fleet_is_audited_and_a_refused_one_is_not(store: Database, store_environment: dict[str, str]) -> None:
    register(store, "orders", "billing")
    succeed(store_environment, "instances", "disable", "orders")
    succeed(store_environment, "instances", "list")
    refused(store_environment, "instances", "disable", "nowhere")
    (row,) = json.loads(succeed(store_environment, "audit", "--json"))
    assert (row["method"], row["path"]) == ("COMMAND", "instances disable orders")
    assert row["caller"].endswith(" (command)")
