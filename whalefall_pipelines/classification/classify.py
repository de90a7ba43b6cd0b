"""Evaluates every active rule over the stored accounts, and swaps the assignments in one transaction.

Rules are read from the store each time. A rule that fails keeps what its accounts had, and is named; the others are swapped.
"""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from whalefall_pipelines.classification.model import Outcome, Problem, RuleVersion
from whalefall_pipelines.classification.store import evaluation, reports
from whalefall_pipelines.classification.store.evaluation import EngineAccounts
from whalefall_pipelines.classification.store.rules import list_rules
from whalefall_pipelines.errors import ClassificationError, InputError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.outage import retry_while_unavailable


def classify_accounts(
    database: Database,
    day: date,
    instance_ids: Sequence[int] | None = None,
    session_id: UUID | None = None,
    *,
    assigned_by: str = "rules",
    check: Callable[[], None] = lambda: None,
) -> Outcome:
    """Classify the accounts of these instances, or of all. `check` is called between rules and stops the work by raising.

    Raises:
        InputError: accounts were classified on a later day, so this one can no longer be written.
    """

    def work() -> Outcome:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            evaluation.lock(cursor)
            newest = reports.find_newest_day(cursor)
            if newest is not None and newest > day:
                raise InputError(f"Accounts were classified on {newest}, so {day} can no longer be written; `rules replay` answers for it.")
            rules = list_rules(cursor, active_only=True)
            engines = evaluation.stage_accounts(cursor, day, instance_ids)
            failed = evaluation.evaluate_rules(cursor, rules, day, check)
            problems = find_problems(rules, engines, failed)
            check()
            opened, closed = evaluation.swap_assignments(cursor, day, instance_ids, list(failed), assigned_by=assigned_by)
            if session_id is not None:
                evaluation.close_records(cursor, session_id, problems)
        return Outcome(sum(each.account_count for each in engines), len(rules), opened, closed, problems)

    return retry_while_unavailable(work)


def find_problems(rules: Sequence[RuleVersion], engines: Sequence[EngineAccounts], failed: dict[UUID, str]) -> tuple[Problem, ...]:
    """The rules that failed, and the engines with accounts that no rule can classify although others have rules."""
    accounts = {each.engine: each for each in engines}
    nobody = EngineAccounts("", 0, ())
    problems = [
        _problem(rule.engine, f"rule {rule.title} failed", failed[rule.rule_group_id], accounts.get(rule.engine, nobody))
        for rule in rules
        if rule.rule_group_id in failed
    ]
    unclassified = sorted(set(accounts) - {rule.engine for rule in rules}) if rules else ()
    problems += [
        _problem(engine, f"engine {engine} has no classifier", "it has no active rules", accounts[engine]) for engine in unclassified
    ]
    return tuple(problems)


def refuse_problems(outcome: Outcome) -> None:
    """Fail the session and the run of an evaluation with problems, after the other rules were swapped.

    Raises:
        ClassificationError: there are problems; the message has them all.
    """
    if outcome.problems:
        raise ClassificationError("; ".join(problem.sentence for problem in outcome.problems))


def _problem(engine: str, subject: str, message: str, accounts: EngineAccounts) -> Problem:
    return Problem(engine, subject, message, accounts.account_count, accounts.account_names)
