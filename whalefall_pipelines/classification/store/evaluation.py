"""Evaluates rules over the stored facts of a day, and swaps the assignments. All of it is one transaction of the caller.

Readers see the assignments before or after it, never none: nothing is deleted before the new ones are known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.classification.model import MOST_NAMES, Problem, RuleVersion
from whalefall_pipelines.classification.store.compile import compile_rules, parse_rule
from whalefall_pipelines.classification.tree import Node, nodes
from whalefall_pipelines.errors import ClassificationError, InputError
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as

# Of the rules that one statement evaluates: each question keeps the accounts that it found in memory.
_MOST_NODES = 400
_STAGING = (
    "use_memory",
    "create_staging",
    "stage_accounts",
    "stage_gaps",
    "stage_nested_memberships",
    "index_staging",
    "analyze_staging",
)


@dataclass(frozen=True, slots=True)
class EngineAccounts:
    """How many accounts of an engine are evaluated, and the names of the first."""

    engine: str
    account_count: int
    account_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Differences:
    opened: int
    closed: int


def lock(cursor: Cursor) -> None:
    """Wait until no other evaluation swaps assignments."""
    cursor.execute(queries.load("classification/lock_classification"))


def stage_accounts(cursor: Cursor, day: date, instance_ids: Sequence[int] | None) -> tuple[EngineAccounts, ...]:
    """Stage the accounts of a day, of these instances or of all, and what could not be read of them."""
    parameters = {"day": day, "instance_ids": None if instance_ids is None else list(instance_ids)}
    for name in _STAGING:
        cursor.execute(queries.load(f"classification/{name}"), parameters)
    cursor.execute(queries.load("classification/list_accounts_of_engine"), {"most": MOST_NAMES})
    return fetch_as(cursor, EngineAccounts)


def evaluate_rules(cursor: Cursor, rules: Sequence[RuleVersion], day: date, check: Callable[[], None]) -> dict[UUID, str]:
    """Evaluate the rules over the staged accounts. A rule that fails costs only itself: returns what failed, by rule group.

    `check` is called between the statements and stops the work by raising.
    """
    failed: dict[UUID, str] = {}
    trees: list[tuple[RuleVersion, Node]] = []
    for rule in rules:
        try:
            trees.append((rule, parse_rule(rule.expression, rule.engine)))
        except InputError as error:
            failed[rule.rule_group_id] = str(error)
    for batch in _batches(trees):
        check()
        if evaluate_together(cursor, {rule.rule_id: tree for rule, tree in batch}, batch[0][0].engine, day) is None:
            continue
        for rule, tree in batch:  # one of them failed: which one, each alone tells
            check()
            if sentence := evaluate_together(cursor, {rule.rule_id: tree}, rule.engine, day):
                failed[rule.rule_group_id] = sentence
    return failed


def evaluate_together(cursor: Cursor, trees: Mapping[int, Node], engine: str, day: date) -> str | None:
    """Add what these trees of an engine match by one statement; return the server's sentence if it failed."""
    statement = compile_rules(trees, engine)
    return cursor.attempt(statement.text, {**statement.parameters, "day": day})


def _batches(trees: Sequence[tuple[RuleVersion, Node]]) -> Iterator[list[tuple[RuleVersion, Node]]]:
    """Rules of one engine with their trees, as many as one statement evaluates."""
    batch: list[tuple[RuleVersion, Node]] = []
    count = 0
    for rule, tree in sorted(trees, key=lambda item: (item[0].engine, item[0].rule_id)):
        size = sum(1 for _ in nodes(tree))
        if batch and (rule.engine != batch[0][0].engine or count + size > _MOST_NODES):
            yield batch
            batch, count = [], 0
        batch.append((rule, tree))
        count += size
    if batch:
        yield batch


def swap_assignments(
    cursor: Cursor, day: date, instance_ids: Sequence[int] | None, failed: Sequence[UUID], *, assigned_by: str
) -> tuple[int, int]:
    """Close and open assignments so that they are what the rules match, and count them. Returns how many were opened and closed."""
    parameters = {
        "day": day,
        "instance_ids": None if instance_ids is None else list(instance_ids),
        "failed_group_ids": [str(group_id) for group_id in failed],
        "assigned_by": assigned_by,
    }
    cursor.execute(queries.load("classification/compare_assignments"), parameters)
    cursor.execute(queries.load("classification/count_differences"))
    (differences,) = fetch_as(cursor, _Differences)
    has_changed = differences.opened > 0 or differences.closed > 0
    if has_changed:
        for name in ("analyze_differences", "close_assignments", "reopen_assignments", "open_assignments"):
            cursor.execute(queries.load(f"classification/{name}"), parameters)
    if has_changed or not _are_counted(cursor, parameters):
        count_assignments(cursor, day, instance_ids)
    return differences.opened, differences.closed


def count_assignments(cursor: Cursor, day: date, instance_ids: Sequence[int] | None) -> None:
    """Write the counts of a day again."""
    parameters = {"day": day, "instance_ids": None if instance_ids is None else list(instance_ids)}
    cursor.execute(queries.load("classification/delete_daily_counts"), parameters)
    cursor.execute(queries.load("classification/insert_daily_counts"), parameters)


def _are_counted(cursor: Cursor, parameters: Mapping[str, object]) -> bool:
    cursor.execute(queries.load("classification/are_counted"), parameters)
    return cursor.fetchone() == (True,)


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
