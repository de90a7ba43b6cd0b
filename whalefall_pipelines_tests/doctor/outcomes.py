"""Helpers for tests of the doctor's checks."""

from collections.abc import Iterable

from whalefall_pipelines.doctor.outcome import Outcome, Severity


def bad(outcomes: Iterable[Outcome]) -> list[tuple[Severity, str, str]]:
    """The outcomes that are not fine; a fine outcome has no next step, and every other one has."""
    listed = list(outcomes)
    for outcome in listed:
        assert (outcome.next_step is None) == (outcome.severity is Severity.OK)
    return [(outcome.severity, outcome.sentence, outcome.next_step or "") for outcome in listed if outcome.next_step]
