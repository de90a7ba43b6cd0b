"""Forecasts, their scores, and changes of a day: three assets of one step. The work is in `forecast.py`."""

from collections.abc import Generator
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.capacity.assets import SIZES, TOTALS
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.metadata import session_metadata
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.forecasts.ask import report_day
from whalefall_pipelines.forecasts.columns import COLUMNS
from whalefall_pipelines.forecasts.metadata import changes_metadata, forecasts_metadata, scores_metadata
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

FORECASTS, SCORES, CHANGES = (dg.AssetKey(name) for name in ("capacity_forecasts", "capacity_forecast_scores", "capacity_changes"))
_SHOWN = 20


def _spec(key: dg.AssetKey, deps: list[dg.AssetKey], description: str, grain: str) -> dg.AssetSpec:
    name = key.to_user_string()
    return dg.AssetSpec(
        key,
        deps=deps,
        group_name="forecasts",
        description=description,
        kinds={"postgres", "python"},
        owners=["team:dba"],
        tags={"grain": grain},
        metadata={"dagster/column_schema": column_schema(COLUMNS[name]), "dagster/table_name": name},
    )


@dg.multi_asset(
    specs=[
        _spec(
            CHANGES,
            [SIZES, TOTALS],
            "Steps, changes of slope, outliers, and databases that grow by steps, from the day on which they are known.",
            "change",
        ),
        _spec(
            SCORES,
            [SIZES, TOTALS],
            "How accurate the forecasts for this day were: each is compared with the measured or recovered size.\n\n"
            "Estimated days are never scored. Scores are kept longer than days and forecasts, because methods and intervals are chosen "
            "from them.",
            "forecast",
        ),
        _spec(
            FORECASTS,
            [CHANGES, SCORES],
            "The size of every database and server in 7, 30 and 90 days, with intervals, based on what was known on this day.\n\n"
            "Each series is forecast by the method whose earlier forecasts were the most accurate. If none was clearly better than the "
            "last value, no date is shown, and the state says why. A past day gives the same result whenever it is materialized.",
            "forecast",
        ),
    ],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def forecast_fleet(context: dg.AssetExecutionContext, whalefall: WhalefallResource) -> Generator[dg.MaterializeResult[Any]]:
    from whalefall_pipelines.forecasts.forecast import forecast_day  # noqa: PLC0415 - numpy: loading the definitions need not wait for it

    days, today = [date.fromisoformat(key) for key in context.partition_keys], whalefall.today()
    with whalefall.store() as database:
        plan = plan_session(context, database, SyncCategory.FORECAST, days, is_over=days[-1] < today)
        with session_of_run(context, database, plan, []) as check:
            for day in days:
                made = forecast_day(database, day, today, check=check)
                counts = (counted(made.forecasts, "forecast"), counted(made.scores, "score"), counted(made.changes, "change"))
                context.log.info("%s: %s", day, ", ".join(counts))
        for day in days:
            retry_while_unavailable(lambda day=day: _report(context, database, day))
    for key in (CHANGES, SCORES, FORECASTS):
        yield dg.MaterializeResult(asset_key=key, metadata=session_metadata(plan.session_id))


def _report(context: dg.AssetExecutionContext, database: Database, day: date) -> None:
    report = report_day(database, day, _SHOWN)
    figures = ((CHANGES, changes_metadata(report)), (SCORES, scores_metadata(report)), (FORECASTS, forecasts_metadata(report)))
    for key, metadata in figures:
        context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
