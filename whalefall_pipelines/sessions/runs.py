"""Maps Dagster runs to sessions: each refers to the other, and they end together."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import UUID, uuid4

import dagster as dg

from whalefall_pipelines.dagster_base.runs import DAYS_TAG, RETRY_TAG, span, sync_type
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, session_tag
from whalefall_pipelines.errors import SessionEndedError
from whalefall_pipelines.sessions.keep_session import Check, sync_session
from whalefall_pipelines.sessions.store import is_known
from whalefall_pipelines.store.database import Database


def plan_session(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    database: Database,
    category: SyncCategory,
    days: Sequence[date],
    *,
    some_instances: bool = False,
    is_over: bool = False,
) -> SessionPlan:
    """Plan the session of this run. A run that was launched with a session id keeps it, and every run is tagged with its session id.

    A re-executed run copies the tags of the original run, but gets a session of its own. A run that both collects and aggregates opens
    one session of each category.
    """
    tags = context.run.tags
    tag = session_tag(category)
    tagged_id = UUID(tags[tag]) if tag in tags else None
    session_id = tagged_id if tagged_id and not is_known(database, tagged_id) else uuid4()
    context.instance.add_run_tags(context.run.run_id, {tag: str(session_id), DAYS_TAG: span(sorted(days))})
    return SessionPlan(
        session_id=session_id,
        category=category,
        sync_type=sync_type(tags, some_instances=some_instances, is_over=is_over),
        first_day=min(days),
        last_day=max(days),
        run_id=context.run.run_id,
        retry_of=UUID(tags[RETRY_TAG]) if RETRY_TAG in tags else None,
    )


@contextmanager
def session_of_run(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, database: Database, plan: SessionPlan, instances: Sequence[Instance]
) -> Generator[Check]:
    """Keep a session open for the block. Cancelling the session cancels its run, unless the run is already over for Dagster."""
    try:
        with sync_session(database, plan, instances) as check:
            yield check
    except SessionEndedError as error:
        run = context.instance.get_run_by_id(context.run.run_id)
        if run is None or run.is_finished:
            raise
        context.log.warning("%s", error)
        context.instance.report_run_canceling(run, message=str(error))
        raise dg.DagsterExecutionInterruptedError from error
