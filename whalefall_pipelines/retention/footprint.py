"""Retention of rows in Dagster: the asset that shows the disk usage and the expired rows, and the job that deletes them.

The work is done in `expire_rows.py`; `assets.py` has the months.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from whalefall_pipelines.dagster_base.metadata import Metadata, gigabytes, markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.retention import expire_rows as rows_that_expire
from whalefall_pipelines.retention.expire_rows import Databases
from whalefall_pipelines.retention.expired_rows import ExpiredRows

ASSET = dg.AssetKey("footprint")
CONCURRENCY_GROUP = {"whalefall/concurrency_group": "maintenance"}


@dg.asset(
    key=ASSET,
    group_name="maintenance",
    description="The disk usage of the store and of Dagster's database by kind, and the expired rows.\n\n"
    "Materializing it only measures. Only the job `expire_rows` deletes rows.",
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
    plotted = gigabytes(total_gb=measured.total_bytes, **{f"{kind}_gb": size for kind, size in measured.sizes.items()})
    return dg.MaterializeResult(metadata={**plotted, **overdue, **_table("expired", planned), "total_bytes": measured.total_bytes, **sizes})


measure_footprint = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "measure_footprint",
    selection=dg.AssetSelection.assets(ASSET),
    description="Records the disk usage of the installation, and shows the expired rows. Deletes nothing.",
    tags=CONCURRENCY_GROUP,
)


@dg.op(description="Deletes gaps, records, sessions, audited requests, tokens and Dagster events that are older than their retention.")
def delete_expired_rows(context: dg.OpExecutionContext, whalefall: WhalefallResource) -> None:
    settings = whalefall.installation()
    day = whalefall.today()
    with _databases(whalefall) as databases:
        deleted = rows_that_expire.expire_rows(databases, settings, day)
    for expired in deleted:
        context.log.info("%s before %s: %d deleted, %s", expired.kind, expired.before, expired.rows, expired.why)
    context.log_event(dg.AssetObservation(ASSET, metadata=_table("deleted", deleted)))


@dg.job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    description="Deletes gaps, records, sessions, audited requests, tokens and Dagster events that are older than their retention.",
    tags=CONCURRENCY_GROUP,
    resource_defs={"whalefall": WhalefallResource()},
)
def expire_rows() -> None:
    delete_expired_rows()


@contextmanager
def _databases(whalefall: WhalefallResource) -> Generator[Databases]:
    with whalefall.store() as store, whalefall.dagster_database(store) as dagster:
        yield Databases(store, dagster)


def _table(name: str, rows: Sequence[ExpiredRows]) -> Metadata:
    columns = ("what", "before", "rows", "why")
    return markdown_table(name, columns, [(expired.kind, expired.before, expired.rows, expired.why) for expired in rows])
