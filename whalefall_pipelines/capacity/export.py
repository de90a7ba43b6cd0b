"""Exports of sizes, totals, gaps and coverage: all rows of some days, streamed."""

from collections.abc import Iterator
from enum import StrEnum

from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.streams import StreamForm, stream_rows


class SizeDataset(StrEnum):
    """What can be exported."""

    DATABASE_SIZES = "database_sizes"
    INSTANCE_SIZES = "instance_sizes"
    COVERAGE = "coverage"
    GAPS = "gaps"


def export(database: Database, dataset: SizeDataset, fleet: FleetFilter, days: Days, form: StreamForm) -> Iterator[bytes]:
    """All rows of these days, in pieces."""
    return stream_rows(database, f"capacity/export_{dataset}", {**fleet.parameters, **days.parameters}, form)
