"""`whalefall tokens` and `whalefall audit`."""

import json

import httpx
import pytest

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import site
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query


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
        ("COMMAND", "tokens create nightly --scope read --access"),
    ]
    assert secret not in json.dumps(rows)
