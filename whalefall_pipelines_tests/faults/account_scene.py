"""What is stored of the accounts of a scene (`scene.py`), read by the real service, and what a fault of it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import uuid4

from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.fault import Fault
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene

_VERSIONS = {
    "instance_accounts": "t.account_id",
    "account_attributes": "t.account_id",
    "account_membership_versions": "t.member_id",
    "account_privileges": "t.account_id",
    "account_reach_versions": "t.account_id",
}


@dataclass(frozen=True, slots=True)
class SeenAccounts:
    """How a session ended, the record of the server under fault, and the gaps of what it could not read."""

    status: str
    record: str
    code: str | None
    sentence: str
    reasons: frozenset[str]
    attempts: int


@dataclass(frozen=True)
class AccountScene:
    """The accounts of a scene."""

    scene: Scene

    def run(self, day: date | None = None) -> None:
        """Read the accounts of a day in a session of its own."""
        scene, day = self.scene, day or self.scene.day
        scene.session_id = uuid4()
        plan = SessionPlan(scene.session_id, SyncCategory.ACCOUNT, SyncType.MANUAL_TASK, day, day)
        instances = active_instances(scene.store)
        with sync_session(scene.store, plan, instances):
            list(sync_accounts(scene.collection(), instances, day, plan.session_id))

    def run_the_day_before(self) -> None:
        """Read a day on which nothing fails."""
        self.scene.now -= timedelta(days=1)
        self.run(self.scene.day - timedelta(days=1))
        self.scene.now += timedelta(days=1)

    def stored(self, name: str = TARGET) -> frozenset[tuple[object, ...]]:
        """Every version of the accounts of an instance, with its place on disk, which a rewrite would change."""
        return frozenset(
            row
            for table, account in _VERSIONS.items()
            for row in query(
                self.scene.store,
                f"select '{table}', t.ctid::text, t::text from {table} as t join instance_accounts as a on a.account_id = {account} "
                "join instances as i on i.instance_id = a.instance_id where i.name = %s",
                name,
            )
        )

    def open_privileges(self, name: str = TARGET) -> Mapping[str, int]:
        """How many privileges each active account of an instance has now."""
        rows = query(
            self.scene.store,
            "select a.account_name, count(p.account_id) from instance_accounts as a join instances as i using (instance_id) "
            "left join account_privileges as p on p.account_id = a.account_id and p.valid_until is null "
            "where i.name = %s and a.is_active group by 1",
            name,
        )
        return {str(account): int(str(count)) for account, count in rows}

    def observed(self, name: str = TARGET) -> bool:
        """The accounts of an instance were read on the day."""
        statement = "select 1 from account_observations join instances as i using (instance_id) where observed_on = %s and i.name = %s"
        return query(self.scene.store, statement, self.scene.day, name) != []

    def find_session(self) -> None:
        """Look at the session of the first Dagster run of the day."""
        statement = (
            "select session_id from sync_sessions where sync_category = 'account' and run_id is not null order by started_at limit 1"
        )
        ((self.scene.session_id,),) = query(self.scene.store, statement)  # type: ignore[assignment]

    def seen(self, name: str = TARGET) -> SeenAccounts:
        """The visible result of the last run."""
        store, session_id = self.scene.store, str(self.scene.session_id)
        ((status, record, code, sentence, attempts, details),) = query(
            store,
            "select s.status, r.status, r.error_code, concat_ws(' ', r.error_message, s.error_message), r.attempts, r.sync_details "
            "from sync_sessions as s join sync_instance_records as r using (session_id) join instances as i using (instance_id) "
            "where session_id = %s and i.name = %s",
            session_id,
            name,
        )
        gaps = query(
            store,
            "select g.reason, concat_ws(' ', g.detail, g.cure) from account_gaps as g join instances as i using (instance_id) "
            "where i.name = %s and g.valid_until is null and g.attribute is null",
            name,
        )
        failed = {str(dict(details)["reason"])} if record == "failed" and details and "reason" in details else set[str]()  # type: ignore[call-overload, operator]
        reasons = failed | {str(reason) for reason, _ in gaps}
        sentences = " ".join([str(sentence), *(str(detail) for _, detail in gaps)])
        return SeenAccounts(
            str(status), str(record), None if code is None else str(code), sentences, frozenset(reasons), int(str(attempts))
        )

    def look_for(self, fault: Fault, printed: str = "") -> None:
        """Check that the visible result matches the matrix, and that the neighbour is unharmed."""
        seen, neighbour = self.seen(), self.seen(NEIGHBOUR)
        assert seen.code == fault.code, seen
        assert seen.reasons == set(fault.reasons), seen
        assert fault.says in seen.sentence + printed, (seen, printed)
        assert seen.attempts == fault.attempts, seen
        assert (seen.record, seen.status) == (("failed", "failed") if fault.code else ("completed", "completed")), seen
        assert (neighbour.record, self.observed(NEIGHBOUR)) == ("completed", True), neighbour
        assert self.scene.target is None or str(self.scene.target.login.password) not in seen.sentence
        self.check()

    def check(self) -> None:
        """Nothing is running, and a gap says more than its name."""
        store = self.scene.store
        assert query(store, "select * from sync_sessions where status = 'running'") == []
        assert query(store, "select * from sync_instance_records where status = 'running'") == []
        assert query(store, "select * from account_gaps where reason = '' or detail = ''") == []
        twice = "select account_id, fact_id from account_privileges where valid_until is null group by 1, 2 having count(*) > 1"
        assert query(store, twice) == []
