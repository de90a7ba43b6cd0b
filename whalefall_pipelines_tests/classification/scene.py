"""Rules and accounts for tests: a fake fleet whose accounts are synchronised, and the assignments that the store has."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import yaml

from whalefall_pipelines.classification.edit_rules import SavedRule, add_rules, edit_rules
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query

CLASSES = [
    {"code": "privileged", "display_name": "Privileged", "axis": "power", "risk_level": 1},
    {"code": "locked", "display_name": "Locked", "axis": "state", "risk_level": 5},
]
SUPERUSER = {"fn": "is_superuser", "args": {}}


def rule(name: str, expression: Mapping[str, object], classification: str = "privileged", engine: str = "postgresql", **more: object) -> dict[str, object]:  # fmt: skip # noqa: E501
    return {"name": name, "classification": classification, "engine": engine, "expression": expression, **more}


def save(store: Database, folder: Path, *rules: dict[str, object], edit: bool = False) -> tuple[SavedRule, ...]:
    """Write a file of rules and add it, or edit by it."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"classifications": CLASSES, "rules": list(rules)}))
    return (edit_rules if edit else add_rules)(store, path, "tester")


def assigned(store: Database, day: date | None = None) -> set[tuple[str, str, str]]:
    """Account, class and rule (or `by hand`) of every assignment that holds on a day, or is open."""
    rows = query(
        store,
        "select a.account_name, c.code, coalesce(r.rule_name, 'by hand') from account_classification_assignments as t "
        "join instance_accounts as a using (account_id) join account_classifications as c using (classification_id) "
        "left join classification_rules as r on r.rule_id = t.rule_id "
        "where case when %s::date is null then t.valid_until is null else t.valid_from <= %s and coalesce(t.valid_until > %s, true) end",
        day,
        day,
        day,
    )
    return {(str(account), str(code), str(name)) for account, code, name in rows}


def break_rule(store: Database, name: str) -> None:
    """Break the stored expression of a rule, as a defect or a hand in the store would."""
    with store.transaction() as cursor:
        cursor.execute("alter table classification_rules disable trigger classification_rules_are_immutable")
        cursor.execute(
            """update classification_rules set expression = '{"version": 4, "expr": {"fn": "no_such_function", "args": {}}}' """
            "where rule_name = %s and superseded_at is null",
            (name,),
        )
        cursor.execute("alter table classification_rules enable trigger classification_rules_are_immutable")
