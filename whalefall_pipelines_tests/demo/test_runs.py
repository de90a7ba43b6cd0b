"""Which runs a day of the demo still needs."""

from uuid import uuid4

from whalefall_pipelines.demo.runs import find_runs
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY


def jobs(store: Database) -> list[str]:
    return [run.job_name for _, run in find_runs(store, DAY)]


def test_accounts_are_put_into_classes_after_they_are_read_and_once_a_day(store: Database) -> None:
    needed = jobs(store)
    assert needed.index("sync_accounts") < needed.index("classify_accounts")
    with sync_session(store, SessionPlan(uuid4(), SyncCategory.CLASSIFICATION, SyncType.MANUAL_TASK, DAY, DAY), []):
        pass
    assert set(needed) - set(jobs(store)) == {"classify_accounts"}
