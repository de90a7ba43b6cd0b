"""A run that repeats a killed one, as Dagster launches it: within seconds, while the session of the killed run still looks alive."""

from datetime import date

import dagster as dg

from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query

DAY = date(2026, 11, 22)
_stores: list[Database] = []


@dg.op
def collect(context: dg.OpExecutionContext) -> None:
    (store,) = _stores
    plan = plan_session(context, store, SyncCategory.CAPACITY, [DAY])
    if context.run.parent_run_id is None:
        sessions.open_session(store, plan, [])
        raise RuntimeError("a killed process ends no session")
    with session_of_run(context, store, plan, []):
        pass


@dg.job(executor_def=dg.in_process_executor)
def collect_day() -> None:
    collect()


def test_a_repeated_run_ends_the_session_of_the_run_that_it_repeats(store: Database) -> None:
    _stores[:] = [store]
    job = dg.reconstructable(collect_day)
    with dg.DagsterInstance.ephemeral() as instance:
        with dg.execute_job(job, instance) as killed:
            assert not killed.success
        with dg.execute_job(job, instance, reexecution_options=dg.ReexecutionOptions(killed.run_id)) as repeated:
            assert repeated.success
    assert query(store, "select status, error_code, run_id from sync_sessions order by started_at") == [
        ("failed", "RUN_DIED", killed.run_id),
        ("completed", None, repeated.run_id),
    ]
