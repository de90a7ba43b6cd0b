"""The sensor that classifies accounts again after they or a rule changed."""

from datetime import timedelta

import dagster as dg

from whalefall_pipelines.classification.jobs import classify_accounts
from whalefall_pipelines.classification.store.reports import find_inputs
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=classify_accounts,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Classifies today's accounts after accounts are read or a rule is changed, and again if the run died. It waits while "
    "accounts are being read.",
)
def refresh_classifications(whalefall: WhalefallResource) -> dg.RunRequest | dg.SkipReason:
    day = whalefall.today()
    with whalefall.store() as database:
        digest, is_reading = find_inputs(database, day - timedelta(days=1))
    if digest is None:
        return dg.SkipReason("there are no rules; `whalefall rules install` adds the shipped ones")
    if is_reading:
        return dg.SkipReason("accounts are being read")
    # Dagster launches one run for each key: what was evaluated once is not evaluated again, also if a rule failed. A run that died
    # changes the key.
    return dg.RunRequest(run_key=digest, tags={PARTITION_TAG: day.isoformat()})
