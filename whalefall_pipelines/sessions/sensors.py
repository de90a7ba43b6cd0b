"""Sensors that end the sessions of dead runs. The rules are in `domain/sessions.py`, the verbs in `end_dead_sessions.py`."""

from collections.abc import Mapping, Sequence

import dagster as dg

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import RunState, SessionStatus
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions, end_sessions_of_run
from whalefall_pipelines.sessions.runs import cancel_queued_sessions, fail_queued_sessions

_STATES = {
    dg.DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
    # A terminated run cannot react while it waits for a statement. Ending its session interrupts the statement.
    dg.DagsterRunStatus.CANCELING: RunState.CANCELLED,
    dg.DagsterRunStatus.CANCELED: RunState.CANCELLED,
}


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends every running session whose run is over or whose process has died.",
)
def end_dead_runs(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> dg.SkipReason:
    with whalefall.store() as database:
        ended = end_dead_sessions(database, lambda run_ids: _states(context.instance, run_ids))
        for ended_session in ended:
            context.log.warning("session %s was %s: %s", ended_session.session.session_id, ended_session.status, ended_session.why)
            run = (
                context.instance.get_run_by_id(ended_session.session.run_id)
                if ended_session.session.run_id and ended_session.run_goes_on
                else None
            )
            if run:  # otherwise it stays in state STARTED forever and occupies a slot of its concurrency group
                context.instance.report_run_failed(
                    run, message=f"Its session {ended_session.session.session_id} was ended: {ended_session.why}."
                )
    why = counted(len(ended), "session was ended", "sessions were ended") if ended else "every running session has a live run"
    return dg.SkipReason(why)


@dg.run_failure_sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends the session of a run that failed.",
)
def end_failed_runs(context: dg.RunFailureSensorContext, whalefall: WhalefallResource) -> None:
    why = context.failure_event.message or "no reason was reported"
    with whalefall.store() as database:
        end_sessions_of_run(database, context.dagster_run.run_id, SessionStatus.FAILED, f"its run failed: {why}")
        fail_queued_sessions(database, context.dagster_run, whalefall.today())


@dg.run_status_sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Cancels the session of a run that was cancelled.",
)
def end_cancelled_runs(context: dg.RunStatusSensorContext, whalefall: WhalefallResource) -> None:
    with whalefall.store() as database:
        end_sessions_of_run(database, context.dagster_run.run_id, SessionStatus.CANCELLED, "its run was cancelled")
        cancel_queued_sessions(database, context.dagster_run, whalefall.today())


def _states(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> Mapping[str, RunState]:
    runs: Sequence[dg.DagsterRun] = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids))) if run_ids else ()
    return {run.run_id: _STATES.get(run.status, RunState.GOING) for run in runs}
