"""Assets that are tables of the store, with their documented columns in the form that the Dagster UI shows."""

from collections.abc import Iterable

import dagster as dg

from whalefall_pipelines.area import Column


def column_schema(columns: Iterable[Column]) -> dg.TableSchema:
    """The schema of a table with these columns."""
    return dg.TableSchema(columns=[dg.TableColumn(name, kind, description) for name, kind, description in columns])


def table_asset(
    key: dg.AssetKey,
    columns: Iterable[Column],
    *,
    deps: Iterable[str | dg.AssetDep],
    group_name: str,
    description: str,
    grain: str,
    kind: str = "python",
    automation_condition: dg.AutomationCondition[dg.AssetKey] | None = None,
) -> dg.AssetSpec:
    """The spec of an asset that is stored in the table that the first part of its key names. `grain` says what one row is."""
    return dg.AssetSpec(
        key,
        deps=list(deps),
        group_name=group_name,
        description=description,
        kinds={"postgres", kind},
        owners=["team:dba"],
        tags={"grain": grain},
        metadata={"dagster/column_schema": column_schema(columns), "dagster/table_name": key.path[0]},
        automation_condition=automation_condition,
    )
