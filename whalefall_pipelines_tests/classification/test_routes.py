"""The routes of classes, asked over HTTP: what they list, explain, launch and change, and what they refuse."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, rule, save
from whalefall_pipelines_tests.classification.test_fleet_classifications import TODAY, scene_of
from whalefall_pipelines_tests.factories import query

_PATH = "/accounts/classifications"


@pytest.fixture
def running(store: Database, tmp_path: Path) -> Iterator[Site]:
    """Two servers with three superusers and two rules, classified."""
    scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("locked", {"fn": "is_locked", "args": {}}, "locked"))
    classify_accounts(store, TODAY)
    with site(store, tmp_path) as started:
        yield started


def ask(client: httpx.Client, path: str, status: int = 200, **parameters: str | int) -> object:
    answer = client.get(f"{_PATH}{path}", params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()["data" if status == 200 else "detail"]


def test_what_is_known_can_be_read(running: Site) -> None:
    with running.client(has_access=True) as client:
        assert [row["code"] for row in ask(client, "")] == ["privileged", "locked"]  # type: ignore[attr-defined]
        assert {row["rule_name"]: row["rule_version"] for row in ask(client, "/rules")} == {"superusers": 1, "locked": 1}  # type: ignore[attr-defined]
        shown = ask(client, "/rule", rule_name="superusers")
        assert shown["expression"] == {"version": 4, "expr": SUPERUSER}  # type: ignore[index]
        assert "no rule 'none'" in str(ask(client, "/rule", 404, rule_name="none"))
        assert "no version 2" in str(ask(client, "/rule", 404, rule_name="superusers", version=2))
        page = ask(client, "/members", code="privileged", limit=2, count="true")
        rest = ask(client, "/members", code="privileged", limit=2, cursor=page["next_cursor"])  # type: ignore[index]
        members = [(row["instance_name"], row["account_name"], row["by"]) for row in (*page["items"], *rest["items"])]  # type: ignore[index]
        assert members == [("a", "admin", "superusers"), ("b", "admin", "superusers"), ("b", "app", "superusers")]
        assert (page["total"], rest["next_cursor"]) == (3, None)  # type: ignore[index]
        assert "'c'" in str(ask(client, "/members", 404, instance="c"))
        pages = [ask(client, "/members", code="privileged", limit=1, page=number)["items"] for number in (1, 2, 3, 4)]  # type: ignore[index]
        assert [[row["account_name"] for row in items] for items in pages] == [["admin"], ["admin"], ["app"], []]
        explained = ask(client, "/explain", rule_name="superusers", instance_id=2, account_name="app")
        assert (explained["matches"], explained["explanation"]["fact"]) == (True, "is_superuser is true")  # type: ignore[index]
        ask(client, "/explain", 404, rule_name="superusers", instance_id=2, account_name="nobody")


def test_a_person_assigns_and_ends_it_and_rules_are_checked_and_switched_off(running: Site) -> None:
    body = {"instance_id": 1, "account_name": "app", "code": "privileged"}

    def post(path: str, sent: dict[str, object], scope: Scope = Scope.OPERATE) -> httpx.Response:
        with running.client(scope, has_access=True) as client:
            return client.post(f"{_PATH}{path}", json=sent)

    assert post("/assignments", {**body, "note": "on call", "until": "2099-01-01"}).status_code == 200
    by = query(running.store, "select assigned_by, notes from account_classification_assignments where assignment_type = 'manual'")
    assert [(str(who).startswith("operate-"), why) for who, why in by] == [(True, "on call")]
    assert post("/assignments", {**body, "note": "again"}).status_code == 400
    assert post("/assignments", {**body, "code": "none", "note": "x"}).status_code == 404
    assert post("/assignments/actions/end", body).status_code == 200
    assert post("/assignments/actions/end", body).status_code == 404
    assert post("/actions/classify", {}).status_code == 202
    assert [run.job_name for run in running.launcher.runs] == ["classify_accounts"]
    checked = post("/rules/actions/validate-expression", {"engine": "mysql", "expression": {"version": 4, "expr": SUPERUSER}})
    assert checked.json()["data"] == {"version": 4, "expr": SUPERUSER}
    empty = {"version": 4, "expr": {"op": "AND", "args": []}}
    refused = post("/rules/actions/validate-expression", {"engine": "mysql", "expression": empty})
    assert (refused.status_code, "match everyone" in refused.json()["detail"]) == (400, True)
    assert post("/rules/actions/disable", {"rule_name": "locked"}).status_code == 403
    assert post("/rules/actions/disable", {"rule_name": "locked"}, Scope.ADMIN).status_code == 200
    classify_accounts(running.store, TODAY)
    assert {row[2] for row in assigned(running.store)} == {"superusers"}
