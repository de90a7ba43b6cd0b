"""The model that the SQL is compared with: every period computed the slow and obvious way from a dictionary of days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from whalefall_pipelines.domain.periods import Period, PeriodType, period_of

Key = tuple[int, str]


@dataclass(frozen=True)
class ModelDay:
    """One database on one day: bytes, or None for a gap."""

    total_bytes: int | None
    is_estimated: bool = False


@dataclass(frozen=True)
class ModelFleet:
    """Every known day of every database, and the first day on which each was measured, if ever.

    Before that day the database is not expected.
    """

    days: Mapping[tuple[Key, date], ModelDay]
    measured_from: Mapping[Key, date]

    def databases(self) -> set[Key]:
        return {key for key, _ in self.days}

    def complete_days(self, instance_id: int) -> dict[date, tuple[int, int, bool]]:
        """For each complete day of an instance: its bytes, the number of databases, and whether any of them was estimated."""
        by_day: dict[date, list[ModelDay]] = {}
        for (key, day), size in self.days.items():
            is_expected = day >= self.measured_from.get(key, date.max) or size.total_bytes is not None
            if key[0] == instance_id and is_expected:
                by_day.setdefault(day, []).append(size)
        return {
            day: (sum(size.total_bytes or 0 for size in sizes), len(sizes), any(size.is_estimated for size in sizes))
            for day, sizes in by_day.items()
            if all(size.total_bytes is not None for size in sizes)
        }


def _rounded(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def _average(values: Iterable[int]) -> int | None:
    known = list(values)
    return int(_rounded(Decimal(sum(known)) / len(known), "1")) if known else None


def _figures(period: Period, today: date, known: Mapping[date, int], estimated: Iterable[date]) -> dict[str, object]:
    inside = {day: size for day, size in known.items() if period.start <= day <= period.end}
    before = {day: size for day, size in known.items() if period.previous.start <= day <= period.previous.end}
    average, average_before = _average(inside.values()), _average(before.values())
    change = average - average_before if average is not None and average_before is not None else None
    return {
        "period_end": period.end,
        "avg_bytes": average,
        "max_bytes": max(inside.values(), default=None),
        "min_bytes": min(inside.values(), default=None),
        "opening_bytes": inside[min(inside)] if inside else None,
        "closing_bytes": inside[max(inside)] if inside else None,
        "data_count": len(inside),
        "expected_count": (min(period.end, today) - period.start).days + 1,
        "estimated_count": sum(day in inside for day in estimated),
        "change_bytes": change,
        "change_percent": _rounded(Decimal(100 * change) / average_before, "0.01") if change is not None and average_before else None,
        "is_final": period.end < today,
    }


def database_rows(fleet: ModelFleet, period_type: PeriodType, today: date) -> dict[tuple[object, ...], dict[str, object]]:
    """Every row of `database_size_aggregations` of a type, by (instance id, database name, period start)."""
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for key in fleet.databases():
        mine = {day: size for (other, day), size in fleet.days.items() if other == key}
        known = {day: size.total_bytes for day, size in mine.items() if size.total_bytes is not None}
        estimated = [day for day, size in mine.items() if size.is_estimated]
        for period in {period_of(period_type, day) for day in mine}:
            rows[(*key, period.start)] = _figures(period, today, known, estimated)
    return rows


def instance_rows(fleet: ModelFleet, period_type: PeriodType, today: date) -> dict[tuple[object, ...], dict[str, object]]:
    """Every row of `instance_size_aggregations` of a type, by (instance id, period start)."""
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for instance_id in {key[0] for key in fleet.databases()}:
        complete = fleet.complete_days(instance_id)
        known = {day: size for day, (size, _, _) in complete.items()}
        estimated = [day for day, (_, _, is_estimated) in complete.items() if is_estimated]
        for period in {period_of(period_type, day) for (key, day) in fleet.days if key[0] == instance_id}:
            counts = [count for day, (_, count, _) in complete.items() if period.start <= day <= period.end]
            figures = _figures(period, today, known, estimated)
            rows[instance_id, period.start] = figures | {
                "avg_database_count": _rounded(Decimal(sum(counts)) / len(counts), "0.01") if counts else None,
                "max_database_count": max(counts, default=None),
                "min_database_count": min(counts, default=None),
                "trend_direction": _trend(figures["avg_bytes"], figures["change_bytes"]),
            }
    return rows


def _trend(average: object, change: object) -> str | None:
    if not isinstance(average, int) or not isinstance(change, int) or average == change:
        return None
    share = Decimal(change) / (average - change)
    return "growing" if share > Decimal("0.05") else "shrinking" if share < Decimal("-0.05") else "stable"


def days_from(first_day: date, count: int) -> list[date]:
    """Consecutive days."""
    return [first_day + timedelta(days=number) for number in range(count)]
