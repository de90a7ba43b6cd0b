"""The outcome of one check of `whalefall doctor`. Every area has its checks in its `doctor_checks.py`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """A problem keeps something from working. A warning will become a problem, or may be intended."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the report: the check, its result, and the next step if it is not fine."""

    check: str
    severity: Severity
    sentence: str
    next_step: str | None = None


def fine(check: str, sentence: str) -> Outcome:
    """An outcome that needs no action."""
    return Outcome(check, Severity.OK, sentence)


def warning(check: str, sentence: str, next_step: str) -> Outcome:
    """An outcome for something that will stop working, or that may be intended."""
    return Outcome(check, Severity.WARNING, sentence, next_step)


def problem(check: str, sentence: str, next_step: str) -> Outcome:
    """An outcome for something that does not work."""
    return Outcome(check, Severity.PROBLEM, sentence, next_step)


def problem_of_error(check: str, error: str, next_step: str | None = None, *, otherwise: str = "") -> Outcome:
    """An outcome for an error that ended a check. The advice after its last semicolon is the next step, unless one is passed."""
    sentence, _, advice = error.rpartition("; ")
    return problem(check, f"{sentence}." if sentence else error, next_step or (advice if sentence else otherwise))


def listed(names: Iterable[str], limit: int = 5) -> str:
    """These names up to the limit, and the number of the others."""
    all_names = list(names)
    return ", ".join(all_names[:limit]) + (f" and {len(all_names) - limit} more" if len(all_names) > limit else "")
