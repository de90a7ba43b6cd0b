"""Metadata of a period in the Dagster UI: numbers that are plotted over time, and growth tables. All of it is read from the store."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from whalefall_pipelines.aggregation import store as aggregation
from whalefall_pipelines.aggregation.model import Level, PeriodSummary, RankedPeriod
from whalefall_pipelines.dagster_base.metadata import Metadata, markdown_table
from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.store.database import Database

_COLUMNS = ("average bytes", "change in bytes", "change in %", "days present", "days expected", "days estimated")


def period_metadata(database: Database, level: Level, periods: Sequence[Period]) -> Mapping[date, Metadata]:
    """The metadata of each of these consecutive periods that has data, by its start."""
    ranked = [period for period in aggregation.rank_periods(database, periods) if period.level is level]
    return {
        start: {**_figures(summary, level), "fastest growing": _table(level, [period for period in ranked if period.period_start == start])}
        for start, summary in aggregation.summarize_periods(database, periods).items()
    }


def _figures(summary: PeriodSummary, level: Level) -> Metadata:
    known = {"avg_bytes": summary.avg_bytes, "closing_bytes": summary.closing_bytes, "change_bytes": summary.change_bytes}
    return {
        **{name: value for name, value in known.items() if value is not None},
        "instances": summary.instances,
        "databases": summary.databases,
        "instance_days_present": summary.days_present,
        "instance_days_expected": summary.days_expected,
        "instance_days_estimated": summary.days_estimated,
        "incomplete_instances": summary.incomplete_instances,
        "is_final": int(summary.is_final),
        "dagster/partition_row_count": summary.databases if level is Level.DATABASE else summary.instances,
    }


def _table(level: Level, ranked: Sequence[RankedPeriod]) -> dg.MarkdownMetadataValue:
    names = ("instance", "database") if level is Level.DATABASE else ("instance",)
    rows = [
        (
            *((period.instance_name, period.database_name) if level is Level.DATABASE else (period.instance_name,)),
            *(
                period.avg_bytes,
                period.change_bytes,
                period.change_percent,
                period.data_count,
                period.expected_count,
                period.estimated_count,
            ),
        )
        for period in ranked
    ]
    return markdown_table((*names, *_COLUMNS), rows)
