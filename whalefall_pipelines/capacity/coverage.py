"""The coverage calendar: one state, shown as one sign, for each instance and day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol


class CoverageState(StrEnum):
    """What is known about an instance on a day: the least certain state of any of its databases."""

    MISSING = "missing"
    PARTLY_MISSING = "partly missing"
    ESTIMATED = "estimated"
    RECOVERED = "recovered"
    MEASURED = "measured"
    NOT_EXPECTED = "not expected"

    @property
    def sign(self) -> str:
        """One character for a calendar."""
        return _SIGNS[self]


_SIGNS = {
    CoverageState.MISSING: "!",
    CoverageState.PARTLY_MISSING: "~",
    CoverageState.ESTIMATED: "e",
    CoverageState.RECOVERED: "r",
    CoverageState.MEASURED: "#",
    CoverageState.NOT_EXPECTED: ".",
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of databases of one instance on one day. `expected` is None if its databases were never listed."""

    instance_name: str
    stat_date: date
    expected: int | None
    measured: int
    recovered: int
    estimated: int
    missing: int
    reasons: tuple[str, ...]

    @property
    def state(self) -> CoverageState:
        """The state of the day."""
        if self.missing or self.expected is None:
            return CoverageState.PARTLY_MISSING if self.measured + self.recovered + self.estimated else CoverageState.MISSING
        if self.estimated:
            return CoverageState.ESTIMATED
        return CoverageState.RECOVERED if self.recovered else CoverageState.MEASURED


@dataclass(frozen=True, slots=True)
class CoveredDay:
    """What is known of an instance on a day, or of those instances of a group that are in the same state: counts of their databases."""

    row_name: str
    stat_date: date
    state: CoverageState
    instances: int
    known: int
    missing: int
    reasons: str | None


class InstanceDay(Protocol):
    """The state of an instance on a day, for one kind of question."""

    @property
    def instance_name(self) -> str:
        """The name of the instance."""
        ...

    @property
    def stat_date(self) -> date:
        """The day."""
        ...

    @property
    def state(self) -> CoverageState:
        """The least certain state of what was expected."""
        ...


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One instance over consecutive days."""

    instance_name: str
    states: tuple[CoverageState, ...]

    @property
    def signs(self) -> str:
        """One sign per day."""
        return "".join(state.sign for state in self.states)


LEGEND = ", ".join(f"{state.sign} {state}" for state in CoverageState)


def days_until(last_day: date, count: int) -> list[date]:
    """`count` consecutive days that end with `last_day`."""
    return [last_day - timedelta(days=count - 1 - number) for number in range(count)]


def coverage_calendar(coverage: Iterable[InstanceDay], days: Sequence[date]) -> list[CalendarRow]:
    """One row for each instance that was expected on any of these days, sorted by name."""
    states_by_instance: dict[str, dict[date, CoverageState]] = {}
    for instance_day in coverage:
        states_by_instance.setdefault(instance_day.instance_name, {})[instance_day.stat_date] = instance_day.state
    return [
        CalendarRow(name, tuple(states.get(day, CoverageState.NOT_EXPECTED) for day in days))
        for name, states in sorted(states_by_instance.items())
    ]
