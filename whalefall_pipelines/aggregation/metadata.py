"""Metadata of a period in the Dagster UI: numbers that are plotted over time, and growth tables. All of it is read from the store."""

from collections.abc import Mapping, Sequence
from datetime import date

from whalefall_pipelines.aggregation import store as aggregation
from whalefall_pipelines.aggregation.model import Level, PeriodSummary, RankedPeriod
from whalefall_pipelines.dagster_base.metadata import Metadata, exact_bytes, gigabytes, markdown_table, shown_change, shown_size
from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.store.database import Database

_COLUMNS = ("average", "change", "%", "days known", "estimated")


def period_metadata(database: Database, level: Level, periods: Sequence[Period]) -> Mapping[date, Metadata]:
    """The metadata of each of these consecutive periods that has data, by its start."""
    ranked = [period for period in aggregation.rank_periods(database, periods) if period.level is level]
    return {
        start: {
            **_figures(summary),
            **_table(level, [period for period in ranked if period.period_start == start]),
            **exact_bytes(avg_bytes=summary.avg_bytes, closing_bytes=summary.closing_bytes, change_bytes=summary.change_bytes),
            "dagster/partition_row_count": summary.databases if level is Level.DATABASE else summary.instances,
        }
        for start, summary in aggregation.summarize_periods(database, periods).items()
    }


def _figures(summary: PeriodSummary) -> Metadata:
    return {
        **gigabytes(avg_gb=summary.avg_bytes, closing_gb=summary.closing_bytes, change_gb=summary.change_bytes),
        "instances": summary.instances,
        "databases": summary.databases,
        "instance_days_present": summary.days_present,
        "instance_days_expected": summary.days_expected,
        "instance_days_estimated": summary.days_estimated,
        "incomplete_instances": summary.incomplete_instances,
        "is_final": int(summary.is_final),
    }


def _table(level: Level, ranked: Sequence[RankedPeriod]) -> Metadata:
    names = ("instance", "database") if level is Level.DATABASE else ("instance",)
    rows = [
        (
            *((period.instance_name, period.database_name) if level is Level.DATABASE else (period.instance_name,)),
            *(
                shown_size(period.avg_bytes),
                shown_change(period.change_bytes),
                period.change_percent,
                f"{period.data_count} of {period.expected_count}",
                period.estimated_count,
            ),
        )
        for period in ranked
    ]
    return markdown_table("fastest growing", (*names, *_COLUMNS), rows)
