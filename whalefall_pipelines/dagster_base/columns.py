"""The documented columns of a table in the form that the Dagster UI shows."""

from collections.abc import Iterable

import dagster as dg

from whalefall_pipelines.area import Column


def column_schema(columns: Iterable[Column]) -> dg.TableSchema:
    """The schema of a table with these columns."""
    return dg.TableSchema(columns=[dg.TableColumn(name, kind, description) for name, kind, description in columns])
