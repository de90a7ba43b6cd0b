"""Metadata of forecasts in the Dagster UI: numbers that are plotted over time, and tables. All of it is read from the store."""

from whalefall_pipelines.dagster_base.metadata import Metadata, markdown_table, shown_change, shown_size
from whalefall_pipelines.forecasts.ask import ForecastDay
from whalefall_pipelines.forecasts.figures import Outcome, Reliability, Runway
from whalefall_pipelines.forecasts.wording import WHY_NO_DATE

_SHOWN = 20


def forecasts_metadata(report: ForecastDay) -> Metadata:
    """The metadata of `capacity_forecasts`: which limits are near, and how many forecasts name a date."""
    dated = [row for row in report.runways if row.p50_days is not None]
    limited = [row for row in report.runways if row.limit_bytes is not None]
    nearest = {"days_to_the_nearest_limit": dated[0].p50_days} if dated and dated[0].p50_days is not None else {}
    return {
        "within_7_days": sum((row.p50_days or 0) <= 7 for row in dated),
        "within_30_days": sum((row.p50_days or 0) <= 30 for row in dated),
        **nearest,
        **markdown_table(
            "runway",
            ("instance", "database", "days", "10 to 90 %", "used", "limit", "error of 30 days", "why no date"),
            [_runway(row) for row in limited[:_SHOWN]],
        ),
        **markdown_table(
            "fastest growing",
            ("instance", "database", "size", "in 30 days", "in 90 days", "error of 30 days"),
            [_growing(row) for row in _fastest(report)],
        ),
        "databases": report.figures.databases,
        "servers": report.figures.servers,
        **{f"state_{state}": count for state, count in sorted(report.figures.states.items())},
        "dagster/partition_row_count": 3 * (report.figures.databases + report.figures.servers),
    }


def scores_metadata(report: ForecastDay) -> Metadata:
    """The metadata of `capacity_forecast_scores`: what was promised beside what came."""
    figures = report.figures
    shown = {
        f"held_80_percent_of_{row.horizon_days}_days": row.covered_80 for row in report.record.reliability if row.behaviour == "moving"
    }
    return {
        "scored": figures.scored,
        "moving": figures.moving,
        "held": figures.held,
        **{name: round(100 * share, 1) for name, share in shown.items() if share is not None},
        **markdown_table(
            f"promised and held, {report.record.since} to {report.record.day}",
            ("horizon", "series", "scored", "80 % held", "90 % held", "mean error", "median error", "skill"),
            [_reliability(row) for row in report.record.reliability],
        ),
        **markdown_table(
            "largest errors of the newest forecasts",
            ("instance", "database", "made on", "for", "forecast", "came", "error"),
            [_outcome(row) for row in report.record.outcomes],
        ),
        "dagster/partition_row_count": figures.scored,
    }


def changes_metadata(report: ForecastDay) -> Metadata:
    """The metadata of `capacity_changes`: what became known on the day."""
    rows = [
        (row.instance_name, row.database_name, row.kind, shown_change(row.change_bytes), row.from_date, row.to_date)
        for row in report.changes
    ]
    kinds = ("step", "slope", "outlier", "recurring")
    return {
        **{kind: sum(row.kind == kind for row in report.changes) for kind in kinds},
        **markdown_table("changes", ("instance", "database", "change", "bytes", "after", "by"), rows),
        "dagster/partition_row_count": len(report.changes),
    }


def percent(share: float | None, digits: int = 0) -> str | None:
    """A share as people read it."""
    return None if share is None else f"{100 * share:.{digits}f} %"


def _runway(row: Runway) -> tuple[object, ...]:
    later = ">180" if row.p90_days is None else row.p90_days
    return (
        row.instance_name,
        row.database_name,
        row.p50_days,
        None if row.p50_days is None else f"{row.p10_days} to {later}",
        shown_size(row.used_bytes),
        shown_size(row.limit_bytes),
        percent(row.error_30, 1),
        WHY_NO_DATE.get(row.state),
    )


def _growing(row: Runway) -> tuple[object, ...]:
    sizes = (row.used_bytes, row.point_30_bytes, row.point_90_bytes)
    return (row.instance_name, row.database_name, *map(shown_size, sizes), percent(row.error_30, 1))


def _fastest(report: ForecastDay) -> list[Runway]:
    databases = [row for row in report.runways if row.database_name is not None]
    return sorted(databases, key=lambda row: row.used_bytes - row.point_90_bytes)[:_SHOWN]


def _reliability(row: Reliability) -> tuple[object, ...]:
    return (
        f"{row.horizon_days} days",
        row.behaviour,
        row.scored,
        percent(row.covered_80),
        percent(row.covered_90),
        percent(row.mean_error, 2),
        percent(row.median_error, 2),
        None if row.skill is None else f"{row.skill:.2f}",
    )


def _outcome(row: Outcome) -> tuple[object, ...]:
    sizes = (shown_size(row.point_bytes), shown_size(row.actual_bytes), shown_change(row.error_bytes))
    return (row.instance_name, row.database_name, row.made_on, row.target_date, *sizes)
