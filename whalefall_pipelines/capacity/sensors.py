"""Sensors that repair days: they retry failed instances and interpolate gaps.

The rules are in `sessions/retries.py` and `capacity/fill_gaps.py`.
"""

from collections.abc import Iterator

import dagster as dg

from whalefall_pipelines.capacity.fill_gaps import find_interpolable_days, find_unread_histories
from whalefall_pipelines.capacity.jobs import collect_capacity, fill_past_days
from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.capacity.store.retries import list_measured_by_hand, list_unrepaired
from whalefall_pipelines.dagster_base.calendar import FIRST_DAY, ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import span_tags, zone_tags
from whalefall_pipelines.domain.days import measurable_days
from whalefall_pipelines.domain.periods import Period, PeriodType, spans
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.retry_requests import request_remaining_zones, request_retries, retry_request
from whalefall_pipelines.sessions.runs import RunsOfDays, record_lost_runs
from whalefall_pipelines.sessions.settings import CollectingSettings

_COLLECTIONS = RunsOfDays(collect_capacity, "fleet_day", SyncCategory.CAPACITY)


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_capacity,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the instances with missing sizes: 15 minutes, 1 hour and 3 hours later "
    "(WHALEFALL_RETRY_MINUTES), then every 3 hours, and one last time shortly before the day can no longer be measured. A rejected "
    "login and a missing privilege are not retried before someone fixes them. A run that failed before it opened a session gets a "
    "session, so that it is retried. Missing sizes that `whalefall collect --instance` has measured are measured once more, so that "
    "Dagster shows them. Zones that a run without a zone did not reach get a run of their own.",
)
def retry_failed_instances(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    grace = whalefall.installation().of(CollectingSettings).grace
    days = measurable_days(whalefall.now(), ZONE, grace)
    with whalefall.store() as database:
        record_lost_runs(context, database, days, _COLLECTIONS, lambda names, zones: active_instances(database, names, zones=zones))
        remaining = request_remaining_zones(context, database, days, _COLLECTIONS)
        by_hand = [retry for day in days for retry in list_measured_by_hand(database, day)]
    # A tick has requests or a reason why there are none. The retries that wait behind these are requested by the next one.
    yield from (
        [*remaining, *(retry_request(retry, _COLLECTIONS, why="measured by hand") for retry in by_hand)]
        or request_retries(whalefall, _COLLECTIONS, list_unrepaired, grace)
    )


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=fill_past_days,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Launches a backfill of the days whose gaps now lie between known sizes, at most once a day. After a backfill without a "
    "zone, it launches one in each zone with servers whose own history was not reached.",
)
def interpolate_gaps(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    day, settings = whalefall.today(), whalefall.installation().of(CapacitySettings)
    with whalefall.store() as database:
        days = find_interpolable_days(database, day, settings.max_gap_days)
        unread = find_unread_histories(database, awr_licensed=settings.oracle_awr_licensed)
    in_calendar = [Period(PeriodType.DAILY, day) for day in days if day >= FIRST_DAY]
    if not (in_calendar or unread):
        yield dg.SkipReason("no gap lies between known sizes")
    for of_zone in unread:
        tags = span_tags(*(Period(PeriodType.DAILY, day) for day in (of_zone.first_day, of_zone.last_day)))
        yield dg.RunRequest(run_key=f"{of_zone.session_id}:{of_zone.zone}", tags={**tags, **zone_tags(fill_past_days, of_zone.zone)})
    for first, last in spans(in_calendar):
        # Once a day: a run that failed is requested again tomorrow, not every minute.
        yield dg.RunRequest(run_key=f"{first.start}:{last.start}:{day}", tags=span_tags(first, last))
