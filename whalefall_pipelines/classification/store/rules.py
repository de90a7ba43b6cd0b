"""Reads and writes classes and the versions of rules. A version is immutable; an edit supersedes it by the next one."""

import json
from collections.abc import Sequence
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.classification.model import Classification, Origin, RuleText, RuleVersion
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


def list_rules(
    cursor: Cursor, rule_name: str | None = None, *, version: int | None = None, active_only: bool = False, origin: Origin | None = None
) -> tuple[RuleVersion, ...]:
    """The rules by their current versions, or one of them by an older version."""
    parameters = {"rule_name": rule_name, "rule_version": version, "active_only": active_only, "origin": origin}
    cursor.execute(queries.load("classification/list_rules"), parameters)
    return fetch_as(cursor, RuleVersion)


def list_classifications(database: Database) -> tuple[Classification, ...]:
    """Every class."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/list_classifications"))
        return fetch_as(cursor, Classification)


def add_classifications(cursor: Cursor, classes: Sequence[Classification], *, is_system: bool) -> None:
    """Add the classes that are not there yet; those that are stay as they are."""
    for each in classes:
        parameters = {
            "code": each.code,
            "display_name": each.display_name,
            "description": each.description,
            "axis": each.axis,
            "risk_level": each.risk_level,
            "priority": each.priority,
            "is_system": is_system,
        }
        cursor.execute(queries.load("classification/insert_classification"), parameters)


def delete_classification(cursor: Cursor, code: str) -> bool:
    """Delete a class that nothing uses."""
    cursor.execute(queries.load("classification/delete_classification"), {"code": code})
    return cursor.fetchone() is not None


def list_users_of_classification(cursor: Cursor, code: str) -> tuple[str, ...]:
    """The rules, in any version, and the accounts, on any day, that use a class."""
    cursor.execute(queries.load("classification/list_users_of_classification"), {"code": code})
    return tuple(str(row[0]) for row in cursor.fetchall())


def add_version(cursor: Cursor, group_id: UUID, version: int, rule: RuleText, *, origin: Origin, created_by: str) -> None:
    """Write a version of a rule, and supersede the one before."""
    reference = rule.benchmark
    parameters = {
        "rule_group_id": str(group_id),
        "rule_version": version,
        "rule_name": rule.rule_name,
        "classification_code": rule.classification_code,
        "engine": rule.engine,
        "description": rule.description,
        "expression": json.dumps(rule.expression),
        "benchmark": reference and reference.benchmark,
        "benchmark_version": reference and reference.benchmark_version,
        "section": reference and reference.section,
        "section_title": reference and reference.section_title,
        "examples": json.dumps(list(rule.examples), default=str),
        "origin": origin,
        "created_by": created_by,
    }
    cursor.execute(queries.load("classification/supersede_rule"), parameters)
    cursor.execute(queries.load("classification/insert_rule"), parameters)


def disable_rule(cursor: Cursor, group_id: UUID) -> None:
    """Switch the current version of a rule off."""
    cursor.execute(queries.load("classification/disable_rule"), {"rule_group_id": str(group_id)})


def lock_rules(cursor: Cursor) -> None:
    """Let one person at a time change rules."""
    cursor.execute(queries.load("classification/lock_rules"))


def list_codes(cursor: Cursor) -> frozenset[str]:
    """The codes of all classes."""
    cursor.execute(queries.load("classification/list_classifications"))
    return frozenset(classification.code for classification in fetch_as(cursor, Classification))
