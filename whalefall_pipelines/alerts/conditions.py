"""The conditions of rules: which thresholds they have, and how urgent figures are. `sql/alerts/conditions/` finds the figures. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from whalefall_pipelines.alerts.model import Figures, Severity

_GIB = 2**30
Thresholds = Mapping[str, int]
SeverityRule = Callable[[Figures, Thresholds], Severity | None]


class Evidence(StrEnum):
    """What must be there on a day so that a condition that is not found is over. Without it, the alert stays as it is."""

    SIZES = "sizes"
    ACCOUNTS = "accounts"
    STORE = "store"
    """The store itself: always there."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of a rule that a person may change. Its name has its unit."""

    default: int
    meaning: str
    least: int = 0
    most: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule watches. `is_nightly` conditions are evaluated once for each closed day, the others at every tick.

    `lasts_days` is how long an event stays open. What is met opens at once if it is critical and `is_urgent`. `finder` is a statement that
    several conditions share. Without `has_instances` it is about whalefall itself, and its rules have no tags.
    """

    name: str
    meaning: str
    next_step: str
    severity_of: SeverityRule
    thresholds: Mapping[str, Threshold] = field(default_factory=dict[str, Threshold])
    evidence: Evidence = Evidence.STORE
    opens_after_days: int = 1
    clears_after_days: int = 1
    lasts_days: int | None = None
    is_nightly: bool = True
    is_urgent: bool = False
    has_instances: bool = True
    finder: str = ""

    @property
    def statement(self) -> str:
        """The name of its statement in `sql/alerts/conditions/`."""
        return self.finder or self.name

    @property
    def all_thresholds(self) -> Mapping[str, Threshold]:
        """Its thresholds, with the days that it takes to open and to clear."""
        return {
            **self.thresholds,
            "opens_after_days": Threshold(self.opens_after_days, "closed days in a row on which it is met before it opens", 1, 30),
            "clears_after_days": Threshold(self.clears_after_days, "closed days in a row on which it is over before it clears", 1, 30),
        }

    def values(self, changed: Thresholds) -> Thresholds:
        """Every threshold: the changed ones, and the defaults of the others."""
        return {name: changed.get(name, threshold.default) for name, threshold in self.all_thresholds.items()}


def _number(figures: Figures, name: str) -> float | None:
    return cast("float | None", figures.get(name))


def _percent(figures: Figures, part: str, whole: str) -> float:
    return 100 * (_number(figures, part) or 0) / max(_number(figures, whole) or 0, 1)


def _at_least(value: float, critical: float, warning: float) -> Severity | None:
    return Severity.CRITICAL if value >= critical else Severity.WARNING if value >= warning else None


def severity_of_runway(figures: Figures, limits: Thresholds) -> Severity | None:
    """A forecast date is near, and the limit is not far from what is used."""
    p50, p10, used = _number(figures, "p50_days"), _number(figures, "p10_days"), _percent(figures, "used_bytes", "limit_bytes")
    if p50 is None:
        return None
    is_soon = p10 is not None and p10 <= limits["critical_days"] and used >= limits["critical_percent"]
    if p50 <= limits["critical_days"] or is_soon:
        return Severity.CRITICAL
    return Severity.WARNING if p50 <= limits["warning_days"] and used >= limits["warning_percent"] else None


def severity_of_headroom(figures: Figures, limits: Thresholds) -> Severity | None:
    """So much of the limit is used."""
    return _at_least(_percent(figures, "used_bytes", "limit_bytes"), limits["critical_percent"], limits["warning_percent"])


def severity_of_jump_room(figures: Figures, _limits: Thresholds) -> Severity | None:
    """One more jump like the largest of the year does not fit."""
    return Severity.WARNING if (_number(figures, "headroom_bytes") or 0) < (_number(figures, "jump_bytes") or 0) else None


def severity_of_step(figures: Figures, limits: Thresholds) -> Severity | None:
    """It is larger than at its last known size, by so many percent and so many bytes."""
    return Severity.INFO if _moved(figures, limits, 1) else None


def severity_of_shrink(figures: Figures, limits: Thresholds) -> Severity | None:
    """It is smaller than at its last known size, by so many percent and so many bytes."""
    return Severity.WARNING if _moved(figures, limits, -1) else None


def severity_of_vanished(figures: Figures, limits: Thresholds) -> Severity | None:
    """It is gone, and it was not smaller than that."""
    return Severity.WARNING if (_number(figures, "last_bytes") or 0) >= limits["least_gib"] * _GIB else None


def severity_of_coverage(figures: Figures, limits: Thresholds) -> Severity | None:
    """Too small a share of the expected databases has a size."""
    missing = 100 - _percent(figures, "known", "expected")
    return _at_least(missing, 100 - limits["critical_percent"] + 1e-9, 100 - limits["warning_percent"] + 1e-9)


def severity_of_missing_days(figures: Figures, limits: Thresholds) -> Severity | None:
    """Nothing of a server was measured for so many days."""
    return Severity.WARNING if (_number(figures, "days") or 0) >= limits["warning_days"] else None


def severity_of_collector_stale(figures: Figures, _limits: Thresholds) -> Severity | None:
    """The day that should be closed is not."""
    return Severity.CRITICAL if (_number(figures, "days_behind") or 0) > 0 else None


def severity_of_partitions_ahead(figures: Figures, limits: Thresholds) -> Severity | None:
    """Too few months have table partitions. Without that of the current month, which counts as -1, nothing can be written."""
    months = _number(figures, "months_ahead")
    if months is None or months < 0:
        return Severity.CRITICAL
    return Severity.WARNING if months < limits["warning_months"] else None


def severity_of_footprint(figures: Figures, limits: Thresholds) -> Severity | None:
    """The store and Dagster's database take more than their budget."""
    return _at_least((_number(figures, "total_bytes") or 0) / _GIB, limits["critical_gib"], limits["warning_gib"])


def severity_of_forecast_unreliable(figures: Figures, limits: Thresholds) -> Severity | None:
    """Intervals of 80 % hold in too few or too many cases; a few cases say nothing."""
    if (_number(figures, "scored") or 0) < limits["least_scored"]:
        return None
    held = _percent(figures, "held", "scored")
    return None if limits["least_percent"] <= held <= limits["most_percent"] else Severity.INFO


def always(severity: Severity) -> SeverityRule:
    """What is found is met."""
    return lambda _figures, _limits: severity


def _moved(figures: Figures, limits: Thresholds, sign: int) -> bool:
    before, now = _number(figures, "bytes_before") or 0, _number(figures, "total_bytes") or 0
    change = sign * (now - before)
    return change >= limits["least_gib"] * _GIB and 100 * change >= limits["least_percent"] * max(before, 1)
