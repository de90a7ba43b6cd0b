"""The sensor that evaluates rules and delivers messages. `whalefall alerts send` does the same from cron."""

import dagster as dg

from whalefall_pipelines.dagster_base.resources import WhalefallResource


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Evaluates the alert rules once for each closed day, and delivers the messages that are due.",
)
def send_due_alerts(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> dg.SkipReason:
    from whalefall_pipelines.alerts.deliver import send_alerts  # noqa: PLC0415 - its HTTP client takes 0.07 s, and no run needs it

    with whalefall.store() as database:
        delivered = send_alerts(database, whalefall.installation(), whalefall.now)
    for problem in delivered.problems:
        context.log.warning("%s", problem)
    evaluated = f"{delivered.evaluated.day} was evaluated" if delivered.evaluated.day else "no day was due"
    return dg.SkipReason(f"{evaluated}; {delivered.sent} sent, {delivered.deferred} to be tried again, {delivered.failed} given up")
