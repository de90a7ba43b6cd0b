"""What a rule says without switching it on: explained for one account, tested on today, replayed over stored days. Nothing is written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from whalefall_pipelines.classification.edit_rules import show_rule
from whalefall_pipelines.classification.evaluate import Explanation, evaluate
from whalefall_pipelines.classification.functions import SIGNATURES
from whalefall_pipelines.classification.model import RuleText
from whalefall_pipelines.classification.read_facts import read_facts
from whalefall_pipelines.classification.rule_files import check_rule, parse_rule_file
from whalefall_pipelines.classification.store.trial import find_matches
from whalefall_pipelines.classification.tree import parse_expression
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.read_text_file import read_text_file
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class Explained:
    """What a rule says of an account, and why. `is_of_engine` is false if the rule is for another engine, so that it never matches."""

    rule: RuleText
    is_of_engine: bool
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Tested:
    """A rule whose examples are met, and the accounts that it matches, as instance/account."""

    rule: RuleText
    matches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a rule would have matched on a day, and what changed since the day before (None on the first day)."""

    day: date
    matches: int
    entered: tuple[str, ...]
    left: tuple[str, ...]


def find_rules(database: Database, name_or_file: str) -> tuple[RuleText, ...]:
    """The rules of a file, if there is one of this name; else the stored rule.

    Raises:
        NotFoundError: there is neither.
        InputError: the file is not valid.
    """
    path = Path(name_or_file)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return parse_rule_file(read_text_file(path), str(path)).rules
    return (show_rule(database, name_or_file).text,)


def explain_rule(database: Database, rule: RuleText, instance_name: str, account_name: str, day: date) -> Explained:
    """Explain a rule for one account.

    Raises:
        NotFoundError: there was no such account on that day.
        InputError: the stored expression is not valid.
    """
    facts = read_facts(database, instance_name, account_name, day)
    return Explained(rule, facts.engine == rule.engine, evaluate(parse_expression(rule.expression, SIGNATURES), facts))


def try_rule(database: Database, rule: RuleText, day: date) -> Tested:
    """Run the examples of a rule, and find what it matches on a day.

    Raises:
        InputError: the rule is not valid, an example is not met, or the store cannot evaluate it.
    """
    try:
        checked = check_rule(rule)
        matches = find_matches(database, checked, day)
    except InputError as error:
        raise InputError(f"rule {rule.rule_name!r}: {error}.") from error
    return Tested(checked, matches)


def replay_rule(database: Database, rule: RuleText, first_day: date, last_day: date) -> Iterator[Replayed]:
    """What a rule would have matched on each of these days, by the facts that were stored then.

    Raises:
        InputError: the days are in the wrong order, or the rule cannot be evaluated.
    """
    if last_day < first_day:
        raise InputError(f"The replay would end on {last_day}, before its start on {first_day}.")
    before: frozenset[str] | None = None
    for number in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=number)
        matches = frozenset(find_matches(database, rule, day))
        changes = Replayed(day, len(matches), (), ())
        if before is not None:
            changes = replace(changes, entered=tuple(sorted(matches - before)), left=tuple(sorted(before - matches)))
        yield changes
        before = matches
