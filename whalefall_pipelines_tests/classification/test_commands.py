"""`whalefall rules` and `whalefall accounts classify`, as a person runs them: what they print, and each way in which they refuse."""

import json
from pathlib import Path

import yaml

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.classification.scene import CLASSES, SUPERUSER, assigned, break_rule, rule
from whalefall_pipelines_tests.classification.test_fleet_classifications import TODAY, scene_of
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall

LOCKED = {"fn": "is_locked", "args": {}}
_EXAMPLES = [{"account": {"attributes": {"is_superuser": True}}, "expected": True}]


def written(folder: Path, *rules: dict[str, object], classes: object = CLASSES) -> str:
    """The path of a file of rules."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"classifications": classes, "rules": list(rules)} if classes else {"rules": list(rules)}))
    return str(path)


def test_a_rule_from_its_file_to_its_end(store: Database, store_environment: dict[str, str], tmp_path: Path) -> None:
    scene_of(store, tmp_path)
    environment = store_environment
    assert "`whalefall rules install` adds the shipped ones" in succeed(environment, "rules", "list")
    file = written(tmp_path, rule("superusers", SUPERUSER, description="May do anything.", examples=_EXAMPLES))
    assert "3" in succeed(environment, "rules", "test", file).splitlines()[-1]
    assert succeed(environment, "rules", "add", file).split()[-3:] == ["superusers", "1", "added"]
    (listed,) = document(environment, "rules", "list")
    assert (listed["rule"], listed["version"], listed["active"], listed["origin"]) == ("superusers", 1, True, "person")
    shown = succeed(environment, "rules", "show", "superusers")
    assert shown.startswith("# version 1, active, written by ")
    assert yaml.safe_load(shown)["rules"][0]["description"] == "May do anything."
    replayed = document(environment, "rules", "replay", "superusers", "--start", "2026-01-01", "--end", "2026-01-02")
    assert [row["matches"] for row in replayed] == [0, 0]
    (today,) = document(environment, "rules", "replay", "superusers", "--start", str(TODAY), "--end", str(TODAY))
    assert today["matches"] == 3
    tree = succeed(environment, "rules", "explain", "superusers", "b", "app")
    assert tree.split()[0] == "true"
    assert "is_superuser is true" in tree
    succeed(environment, "accounts", "classify", "--instance", "a", "--instance", "b")
    assert {row[0] for row in assigned(store)} == {"admin", "app"}
    edited = written(tmp_path, rule("superusers", LOCKED))
    assert succeed(environment, "rules", "edit", edited).split()[-3:] == ["superusers", "2", "edited"]
    assert succeed(environment, "rules", "edit", edited).split()[-1] == "unchanged"
    assert "superseded" in succeed(environment, "rules", "show", "superusers", "--version", "1")
    assert json.loads(succeed(environment, "rules", "show", "superusers", "--json"))["version"] == 2
    succeed(environment, "rules", "disable", "superusers")
    assert not document(environment, "rules", "list")[0]["active"]
    assert whalefall(environment, "accounts", "classify", "--instance", "a").exit_code == 2  # no rule is on
    assert "locked" in succeed(environment, "rules", "classes")
    succeed(environment, "rules", "delete-class", "locked")
    assert "in use" in refused(environment, "rules", "delete-class", "privileged")


def test_what_cannot_be_done_is_refused_and_saves_nothing(store: Database, store_environment: dict[str, str], tmp_path: Path) -> None:
    environment = store_environment
    for command in (("show", "none"), ("disable", "none"), ("replay", "none", "--start", "2026-01-01"), ("explain", "none", "a", "b"), ("test", "none")):  # fmt: skip # noqa: E501
        assert "There is no rule 'none'" in refused(environment, "rules", *command)
    assert "There is no class 'none'" in refused(environment, "rules", "delete-class", "none")
    for command in ("add", "edit", "import"):
        assert "absent.yaml" in refused(environment, "rules", command, str(tmp_path / "absent.yaml"))
    empty = rule("empty", {"op": "AND", "args": []})
    assert "would match everyone" in refused(environment, "rules", "add", written(tmp_path, empty))
    failing = rule("failing", LOCKED, examples=_EXAMPLES)
    assert "example 1 expects true, but the rule answers unknown" in refused(environment, "rules", "add", written(tmp_path, failing))
    assert "no class privileged" in refused(environment, "rules", "add", written(tmp_path, rule("lost", SUPERUSER), classes=None))
    assert "There is no rule 'superusers'" in refused(environment, "rules", "edit", written(tmp_path, rule("superusers", SUPERUSER)))
    (tmp_path / "product.json").write_text("{}")
    assert "this is not a list of rules" in refused(environment, "rules", "import", str(tmp_path / "product.json"))
    assert document(environment, "rules", "list") == []
    file = written(tmp_path, rule("superusers", SUPERUSER))
    succeed(environment, "rules", "add", file)
    assert "exist already" in refused(environment, "rules", "add", file)
    assert "There is no version 9 of a rule" in refused(environment, "rules", "show", "superusers", "--version", "9")
    assert "No account" in refused(environment, "rules", "explain", "superusers", "a", "nobody")
    days = ("--start", "2026-02-01", "--end", "2026-01-01")
    assert "before its start" in refused(environment, "rules", "replay", "superusers", *days)


def test_rules_of_the_product_are_imported_and_a_broken_one_is_named(
    store: Database, store_environment: dict[str, str], tmp_path: Path
) -> None:
    scene_of(store, tmp_path)
    environment = store_environment
    succeed(environment, "rules", "add", written(tmp_path, rule("locked", LOCKED, "locked")))
    expression = {"version": 4, "expr": SUPERUSER}
    exported = {"rule_name": "super", "db_type": "postgresql", "classification_code": "privileged", "rule_expression": expression}
    (tmp_path / "product.json").write_text(json.dumps([exported]))
    assert succeed(environment, "rules", "import", str(tmp_path / "product.json")).split()[-3:] == ["super", "1", "added"]
    break_rule(store, "locked")
    result = whalefall(environment, "accounts", "classify", "--instance", "b")
    assert result.exit_code == 1
    assert "rule locked (version 1) failed: expr: there is no function 'no_such_function'" in result.stderr
    assert "b/admin" in result.stderr
    assert {row[2] for row in assigned(store)} == {"super"}
