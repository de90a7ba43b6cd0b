"""Evaluates rules over the stored facts of a day, and swaps the assignments. All of it is one transaction of the caller.

Readers see the assignments before or after it, never none: nothing is deleted before the new ones are known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.classification.functions import SIGNATURES
from whalefall_pipelines.classification.model import MOST_NAMES, Problem, RuleVersion
from whalefall_pipelines.classification.store.compile import compile_expression, rule_statement
from whalefall_pipelines.classification.tree import parse_expression
from whalefall_pipelines.errors import ClassificationError, InputError
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class EngineAccounts:
    """How many accounts of an engine are evaluated, and the names of the first."""

    engine: str
    account_count: int
    account_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Differences:
    accounts: int
    opened: int
    closed: int


def lock(cursor: Cursor) -> None:
    """Wait until no other evaluation swaps assignments."""
    cursor.execute(queries.load("classification/lock_classification"))


def stage_accounts(cursor: Cursor, day: date, instance_ids: Sequence[int] | None) -> tuple[EngineAccounts, ...]:
    """Stage the accounts of a day, of these instances or of all, and what could not be read of them."""
    parameters = {"day": day, "instance_ids": None if instance_ids is None else list(instance_ids)}
    for name in ("use_memory", "create_staging", "stage_accounts", "stage_gaps", "analyze_staging"):
        cursor.execute(queries.load(f"classification/{name}"), parameters)
    cursor.execute(queries.load("classification/list_accounts_of_engine"), {"most": MOST_NAMES})
    return fetch_as(cursor, EngineAccounts)


def evaluate_rules(cursor: Cursor, rules: Sequence[RuleVersion], day: date, check: Callable[[], None]) -> dict[UUID, str]:
    """Evaluate each rule over the staged accounts. A rule that fails costs only itself: returns what failed, by rule group.

    `check` is called between the rules and stops the work by raising.
    """
    failed: dict[UUID, str] = {}
    for rule in rules:
        check()
        try:
            condition = compile_expression(parse_expression(rule.expression, SIGNATURES), rule.engine)
        except InputError as error:
            failed[rule.rule_group_id] = str(error)
            continue
        parameters = {**condition.parameters, "rule_id": rule.rule_id, "engine": rule.engine, "day": day}
        if sentence := cursor.attempt(rule_statement(condition), parameters):
            failed[rule.rule_group_id] = sentence
    return failed


def swap_assignments(
    cursor: Cursor, day: date, instance_ids: Sequence[int] | None, failed: Sequence[UUID], *, assigned_by: str
) -> tuple[int, int, int]:
    """Close and open assignments so that they are what the rules match, and count them. Returns accounts, opened and closed ones."""
    parameters = {
        "day": day,
        "instance_ids": None if instance_ids is None else list(instance_ids),
        "failed_group_ids": [str(group_id) for group_id in failed],
        "assigned_by": assigned_by,
    }
    cursor.execute(queries.load("classification/analyze_matches"))
    cursor.execute(queries.load("classification/compare_assignments"), parameters)
    cursor.execute(queries.load("classification/count_differences"))
    (differences,) = fetch_as(cursor, _Differences)
    if differences.opened or differences.closed:
        for name in ("analyze_differences", "close_assignments", "reopen_assignments", "open_assignments"):
            cursor.execute(queries.load(f"classification/{name}"), parameters)
    count_assignments(cursor, day, instance_ids)
    return differences.accounts, differences.opened, differences.closed


def count_assignments(cursor: Cursor, day: date, instance_ids: Sequence[int] | None) -> None:
    """Write the counts of a day again."""
    parameters = {"day": day, "instance_ids": None if instance_ids is None else list(instance_ids)}
    cursor.execute(queries.load("classification/delete_daily_counts"), parameters)
    cursor.execute(queries.load("classification/insert_daily_counts"), parameters)


def close_records(cursor: Cursor, session_id: UUID, problems: Sequence[Problem]) -> None:
    """Close the records of a session, within the transaction of the swap."""
    by_engine: dict[str, list[str]] = {}
    for problem in problems:
        by_engine.setdefault(problem.engine, []).append(problem.sentence)
    parameters = {
        "session_id": str(session_id),
        "engines": list(by_engine),
        "messages": ["; ".join(sentences) for sentences in by_engine.values()],
        "error_code": ClassificationError.code,
    }
    cursor.execute(queries.load("classification/close_records"), parameters)
