"""What `whalefall doctor` says of one thing that it looked at. Every area has its own checks in its `doctor_checks.py`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """A problem keeps something from working; a warning will, or may be meant."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line: what was checked, how it is, and what to do next where it is not fine."""

    check: str
    severity: Severity
    sentence: str
    next_step: str | None = None


def fine(check: str, sentence: str) -> Outcome:
    """Nothing is to be done."""
    return Outcome(check, Severity.OK, sentence)


def warning(check: str, sentence: str, next_step: str) -> Outcome:
    """Something will stop working, or is meant to be so."""
    return Outcome(check, Severity.WARNING, sentence, next_step)


def problem(check: str, sentence: str, next_step: str) -> Outcome:
    """Something does not work."""
    return Outcome(check, Severity.PROBLEM, sentence, next_step)


def problem_of_error(check: str, error: str, next_step: str | None = None, *, otherwise: str = "") -> Outcome:
    """An error that ended a check. The advice behind its last semicolon is the next step, unless there is a better one."""
    sentence, _, advice = error.rpartition("; ")
    return problem(check, f"{sentence}." if sentence else error, next_step or (advice if sentence else otherwise))


def listed(names: Iterable[str], limit: int = 5) -> str:
    """These names, and how many more there are beyond the limit."""
    all_names = list(names)
    return ", ".join(all_names[:limit]) + (f" and {len(all_names) - limit} more" if len(all_names) > limit else "")
