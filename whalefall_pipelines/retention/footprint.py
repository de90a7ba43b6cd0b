"""Retention in Dagster: the asset that shows what the installation takes on disk and what would be deleted, and the job that deletes it.

The work is `retention/expire_rows.py`; months are `table_partitions.py`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from whalefall_pipelines.dagster_base.metadata import markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.retention import expire_rows as rows_that_expire
from whalefall_pipelines.retention.expire_rows import Databases
from whalefall_pipelines.retention.expired_rows import ExpiredRows

ASSET = dg.AssetKey("footprint")
CONCURRENCY_GROUP = {"whalefall/concurrency_group": "maintenance"}


@dg.asset(
    key=ASSET,
    group_name="maintenance",
    description="What the store and Dagster's database take on disk, by kind, and what is older than it is kept.\n\n"
    "Materializing it measures and deletes nothing. Only the job `expire_rows` deletes.",
    kinds={"postgres", "python"},
    owners=["team:dba"],
    tags={"grain": "kind"},
)
def footprint(whalefall: WhalefallResource) -> dg.MaterializeResult[Any]:
    settings = whalefall.installation()
    day = whalefall.today()
    with _databases(whalefall) as databases:
        measured = rows_that_expire.read_footprint(databases, day)
        rows_that_expire.record_footprint(databases, measured)
        planned = rows_that_expire.plan_rows(databases, settings, day)
    sizes = {f"{kind}_bytes": size for kind, size in measured.sizes.items()}
    overdue = {f"expired_{expired.kind.replace(' ', '_')}": expired.rows for expired in planned}
    return dg.MaterializeResult(metadata={"total_bytes": measured.total_bytes, **sizes, **overdue, "expired": _table(planned)})


measure_footprint = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "measure_footprint",
    selection=dg.AssetSelection.assets(ASSET),
    description="Writes down what the installation takes on disk, and shows what is older than it is kept. Deletes nothing.",
    tags=CONCURRENCY_GROUP,
)


@dg.op(description="Deletes gaps, records, sessions and Dagster's events that are older than they are kept.")
def delete_expired_rows(context: dg.OpExecutionContext, whalefall: WhalefallResource) -> None:
    settings = whalefall.installation()
    day = whalefall.today()
    with _databases(whalefall) as databases:
        deleted = rows_that_expire.expire_rows(databases, settings, day)
    for expired in deleted:
        context.log.info("%d %s before %s deleted: %s", expired.rows, expired.kind, expired.before, expired.why)
    context.log_event(dg.AssetObservation(ASSET, metadata={"deleted": _table(deleted)}))


@dg.job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    description="Deletes gaps, records, sessions and Dagster's events that are older than they are kept.",
    tags=CONCURRENCY_GROUP,
    resource_defs={"whalefall": WhalefallResource()},
)
def expire_rows() -> None:
    delete_expired_rows()


@contextmanager
def _databases(whalefall: WhalefallResource) -> Generator[Databases]:
    with whalefall.store() as store, whalefall.dagster_database(store) as dagster:
        yield Databases(store, dagster)


def _table(rows: Sequence[ExpiredRows]) -> dg.MarkdownMetadataValue:
    return markdown_table(
        ("what", "before", "rows", "why"), [(expired.kind, expired.before, expired.rows, expired.why) for expired in rows]
    )
