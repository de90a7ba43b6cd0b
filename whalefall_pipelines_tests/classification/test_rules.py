"""Rules as people write them: what is valid, versions, the shipped rules, the import, replay and explanation."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.edit_rules import disable_rule, import_rules, install_rules, list_rules, show_rule
from whalefall_pipelines.classification.functions import SIGNATURES
from whalefall_pipelines.classification.model import Origin
from whalefall_pipelines.classification.rule_files import parse_rule_file, write_rule_file
from whalefall_pipelines.classification.store.rules import add_version
from whalefall_pipelines.classification.tree import MOST_DEPTH, MOST_NODES, parse_expression
from whalefall_pipelines.classification.try_rules import explain_rule, replay_rule, try_rule
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, member
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, rule, save
from whalefall_pipelines_tests.factories import query


def expression(node: object) -> dict[str, object]:
    return {"version": 4, "expr": node}


def nested(depth: int) -> dict[str, object]:
    node: dict[str, object] = SUPERUSER
    for _ in range(depth - 1):
        node = {"op": "NOT", "args": [node]}
    return node


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "version: 4"),
        ({"version": 3, "expr": SUPERUSER}, "must be 4, not 3"),
        ({"version": True, "expr": SUPERUSER}, "must be 4"),
        (expression({"op": "AND", "args": []}), "would match everyone or no one"),
        (expression({"op": "NOT", "args": [SUPERUSER, SUPERUSER]}), "exactly one"),
        (expression({"op": "XOR", "args": [SUPERUSER]}), "AND, OR or NOT"),
        (expression({"fn": "no_such", "args": {}}), "no function 'no_such'"),
        (expression({"fn": "has_role", "args": {}}), "needs name"),
        (expression({"fn": "has_role", "args": {"name": "x", "more": 1}}), "no argument more"),
        (expression({"fn": "has_role", "args": {"name": ""}}), "1 to 1000 characters"),
        (expression({"fn": "db_type_in", "args": {"types": ["db2"]}}), "no engine db2"),
        (expression({"fn": "name_matches", "args": {"like": "a\\"}}), "backslash"),
        (expression({"fn": "password_older_than", "args": {"days": -1}}), "from 0"),
        (expression({"fn": "server_version_at_least", "args": {"version": "x"}}), "numbers separated by dots"),
        (expression({"fn": "has_role", "args": {"name": "x"}, "more": 1}), "must have exactly"),
        (expression([]), "a node is"),
        (expression(nested(MOST_DEPTH + 1)), "at most 16 levels"),
        (expression({"op": "OR", "args": [SUPERUSER] * MOST_NODES}), "at most 200 nodes"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_place(document: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse_expression(document, SIGNATURES)


def test_the_limits_themselves_are_valid() -> None:
    parse_expression(expression(nested(MOST_DEPTH)), SIGNATURES)
    parse_expression(expression({"op": "OR", "args": [SUPERUSER] * (MOST_NODES - 1)}), SIGNATURES)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "classifications"),
        ("rules: [{name: a}]", "classification, engine, expression is missing"),
        ("rules: [{name: a, classification: b, engine: db2, expression: {fn: is_superuser}}]", "no engine 'db2'"),
        ("rules: [{name: a, classification: b, engine: mysql, expression: {fn: has_capability, args: {name: X}}}]", "no capability 'X'"),
        ("rules: [{name: a, classification: b, engine: mysql, expression: {fn: can_become}}]", "needs name, like or superuser"),
        ("classifications: [{code: A, axis: power, risk_level: 1}]", "lowercase"),
        ("classifications: [{code: a, axis: colour, risk_level: 1}]", "power or state"),
        ("classifications: [{code: a, axis: power, risk_level: 7}]", "from 1"),
        ("rules: [&a {name: a}, *a]", "anchors"),
        ("a: " + "[" * 100 + "]" * 100, "nested too deeply"),
    ],
)
def test_a_file_that_is_not_valid_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse_rule_file(text, "rules.yaml")


def test_examples_run_on_save_and_a_wrong_one_saves_nothing(store: Database, tmp_path: Path) -> None:
    example = {"account": {"attributes": {"is_superuser": True}}, "expected": False}
    with pytest.raises(InputError, match=r"'superusers': example 1 expects false, but the rule answers true: is_superuser\(\) is true"):
        save(store, tmp_path, rule("superusers", SUPERUSER, examples=[example]))
    with pytest.raises(InputError, match="example 1 has no fact 'unheard'"):
        save(store, tmp_path, rule("superusers", SUPERUSER, examples=[{"account": {"unheard": 1}, "expected": True}]))
    assert list_rules(store) == ()
    assert query(store, "select count(*) from account_classifications") == [(0,)]


def test_an_edit_is_a_new_version_and_the_old_one_stays(store: Database, tmp_path: Path) -> None:
    save(store, tmp_path, rule("superusers", SUPERUSER))
    with pytest.raises(InputError, match="exist already"):
        save(store, tmp_path, rule("superusers", SUPERUSER))
    with pytest.raises(NotFoundError):
        save(store, tmp_path, rule("others", SUPERUSER), edit=True)
    assert [saved.change for saved in save(store, tmp_path, rule("superusers", SUPERUSER), edit=True)] == ["unchanged"]
    (saved,) = save(store, tmp_path, rule("superusers", {"fn": "is_locked", "args": {}}, "locked"), edit=True)
    assert (saved.rule_version, saved.change) == (2, "edited")
    old, new = show_rule(store, "superusers", 1), show_rule(store, "superusers")
    assert (old.is_active, old.superseded_at is None, old.classification_code) == (False, False, "privileged")
    assert (new.rule_version, new.is_active, new.rule_group_id, new.created_by) == (2, True, old.rule_group_id, "tester")
    disable_rule(store, "superusers")
    (again,) = save(store, tmp_path, rule("superusers", {"fn": "is_locked", "args": {}}, "locked"), edit=True)
    assert (again.rule_version, show_rule(store, "superusers").is_active) == (3, True)


def test_the_shipped_rules_cover_every_engine_and_both_axes_and_say_where_they_come_from(store: Database) -> None:
    install_rules(store)
    rules = list_rules(store)
    assert {rule.engine for rule in rules} == set(Engine)
    of_power = {(rule.engine, rule.classification_code) for rule in rules if rule.axis == "power"}
    levels = ("privileged", "high_risk", "sensitive", "application", "read_only", "none")
    assert of_power == {(str(engine), level) for engine in Engine for level in levels}
    assert {rule.classification_code for rule in rules if rule.axis == "state"} == {"locked", "expired", "dormant", "shared_hosts", "orphaned"}  # fmt: skip # noqa: E501
    assert sum(rule.benchmark is not None for rule in rules) > len(rules) / 3
    for each in rules:
        answers = [example["expected"] for example in each.examples]
        assert True in answers, each.rule_name
        assert False in answers, each.rule_name
        assert parse_rule_file(write_rule_file([each.text]), "shown").rules == (each.text,)


def test_installing_again_never_overwrites_what_a_person_did(store: Database, tmp_path: Path) -> None:
    assert {saved.change for saved in install_rules(store)} == {"added"}
    assert {saved.change for saved in install_rules(store)} == {"unchanged"}
    save(store, tmp_path, rule("postgresql-superuser", SUPERUSER), edit=True)
    disable_rule(store, "mysql-super")
    dba = show_rule(store, "oracle-dba")
    with store.transaction() as cursor:  # as an older version of this program shipped it
        older = replace(dba.text, description="older")
        add_version(cursor, dba.rule_group_id, 2, older, origin=Origin.SHIPPED, created_by="whalefall")
    changes = {saved.rule_name: saved.change for saved in install_rules(store)}
    assert {name for name, change in changes.items() if change.startswith("kept")} == {"postgresql-superuser", "mysql-super"}
    assert (changes["oracle-dba"], show_rule(store, "oracle-dba").text) == ("updated", dba.text)
    edited, off = show_rule(store, "postgresql-superuser"), show_rule(store, "mysql-super")
    assert (edited.rule_version, edited.origin, off.is_active) == (2, Origin.PERSON, False)


def test_rules_of_the_product_are_taken_over_one_to_one(store: Database, tmp_path: Path) -> None:
    save(store, tmp_path, rule("other", SUPERUSER))
    trees = [
        {"op": "OR", "args": [{"fn": "is_superuser", "args": {}}, {"fn": "has_capability", "args": {"name": "GRANT_ADMIN"}}]},
        {
            "op": "AND",
            "args": [
                {"fn": "db_type_in", "args": {"types": ["mysql"]}},
                {"op": "NOT", "args": [{"fn": "has_role", "args": {"name": "r"}}]},
            ],
        },
        {"fn": "has_privilege", "args": {"name": "SUPER", "scope": "global"}},
        {"fn": "has_privilege", "args": {"name": "DROP", "scope": "database", "database": "shop"}},
    ]
    entries = [
        {"id": number, "rule_name": f"product {number}", "db_type": "mysql", "classification_code": "privileged",
         "rule_expression": json.dumps(expression(tree)) if number % 2 else expression(tree)}
        for number, tree in enumerate(trees)
    ]  # fmt: skip
    path = tmp_path / "product.json"
    path.write_text(json.dumps(entries))
    import_rules(store, path, "tester")
    imported = {rule.rule_name: rule for rule in list_rules(store) if rule.origin == Origin.IMPORTED}
    assert [imported[f"product {number}"].expression for number in range(len(trees))] == [expression(tree) for tree in trees]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rule_expression": {}}, "'bad': it is empty and would match everyone"),
        ({"rule_expression": "{}"}, "it is empty and would match everyone"),
        ({"rule_expression": expression({"op": "AND", "args": []})}, "AND without parts would match everyone"),
        ({"rule_expression": {"type": "mysql_permissions", "operator": "OR"}}, "not of version 4"),
        ({"rule_expression": expression({"fn": "no_such", "args": {}})}, "no function 'no_such'"),
        ({"db_type": "db2"}, "no engine 'db2'"),
        ({"classification_code": None}, "has no classification"),
    ],
)
def test_what_would_fail_open_is_not_imported_and_nothing_is(store: Database, tmp_path: Path, change: dict[str, object], why: str) -> None:
    save(store, tmp_path, rule("other", SUPERUSER))
    good = {"rule_name": "good", "db_type": "mysql", "classification_code": "privileged", "rule_expression": expression(SUPERUSER)}
    path = tmp_path / "product.json"
    path.write_text(json.dumps([good, {**good, "rule_name": "bad", **change}]))
    with pytest.raises(InputError, match=why):
        import_rules(store, path, "tester")
    assert [rule.rule_name for rule in list_rules(store)] == ["other"]


def test_an_unknown_class_is_refused(store: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no class nowhere"):
        save(store, tmp_path, rule("superusers", SUPERUSER, "nowhere"))


def test_a_replay_tells_what_a_rule_would_have_matched_before_it_is_on(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    days = [{"admin": True, "app": False}, {"admin": True, "app": True}, {"admin": False, "app": True}]
    first_day = fleet.day
    for day in days:
        fleet.hold(listing(*(account(name, is_superuser=is_superuser) for name, is_superuser in day.items())), facts())
        fleet.sync()
        fleet.tomorrow()
    text = parse_rule_file(json.dumps({"rules": [rule("superusers", SUPERUSER)]}), "rule").rules[0]
    replayed = list(replay_rule(store, text, first_day - timedelta(days=1), first_day + timedelta(days=2)))
    assert [(each.matches, each.entered, each.left) for each in replayed] == [
        (0, (), ()),
        (1, ("a/admin",), ()),
        (2, ("a/app",), ()),
        (1, (), ("a/admin",)),
    ]
    assert try_rule(store, text, first_day).matches == ("a/admin",)
    assert query(store, "select count(*) from account_classification_assignments") == [(0,)]
    with pytest.raises(InputError, match="before its start"):
        list(replay_rule(store, text, first_day, first_day - timedelta(days=1)))


def test_an_explanation_has_the_fact_behind_each_leaf(store: Database, tmp_path: Path) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(
        listing(account("alice"), account("team", can_login=False), account("dba", can_login=False, is_superuser=True)),
        facts(member("alice", "team", inherits=False), member("team", "dba")),
    )
    fleet.sync()
    save(store, tmp_path, rule("become", {"op": "AND", "args": [{"fn": "can_become", "args": {"superuser": True}}, {"op": "NOT", "args": [SUPERUSER]}]}))  # fmt: skip # noqa: E501
    explained = explain_rule(store, show_rule(store, "become").text, "a", "alice", fleet.day).explanation
    assert explained.value is True
    become, negation = explained.parts
    assert (become.label, become.fact) == ("can_become(superuser=true)", "it can become ⇒ team ⇒ dba")
    assert (negation.value, negation.parts[0].value, negation.parts[0].fact) == (True, False, "is_superuser is false")
    unknown = {
        "op": "OR",
        "args": [{"fn": "has_attribute", "args": {"name": "x"}}, {"fn": "tag_is", "args": {"name": "env", "value": "p"}}],
    }
    save(store, tmp_path, rule("unknown", unknown))
    parts = explain_rule(store, show_rule(store, "unknown").text, "a", "alice", fleet.day).explanation.parts
    assert [part.fact for part in parts] == ["x is unknown", "its server has no tag env"]
    classify_accounts(store, fleet.day)
    assert assigned(store) == {("alice", "privileged", "become"), ("team", "privileged", "become")}
    with pytest.raises(NotFoundError):
        explain_rule(store, show_rule(store, "become").text, "a", "nobody", fleet.day)
