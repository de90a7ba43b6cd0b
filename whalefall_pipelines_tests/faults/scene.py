"""A fleet in its own store, collected by the real service: one real server under fault, reached through a proxy, and a neighbour.

The test sets the clock, so that any day can be collected.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.fake import FakeFleet
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.outage import OUTAGE_SECONDS
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import DAY, FleetTest, query
from whalefall_pipelines_tests.faults.fault import UNREACHED, Fault
from whalefall_pipelines_tests.faults.invariants import check_invariants, is_whole, take_snapshot
from whalefall_pipelines_tests.faults.seams import SteppedFleet, Steps
from whalefall_pipelines_tests.faults.targets import Target
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

TARGET, NEIGHBOUR = "target", "neighbour"
# Long enough for a busy machine in tests that are not about deadlines.
PATIENT = Deadlines(connect_seconds=30, statement_seconds=60, instance_seconds=60)


@dataclass
class Seen:
    """The visible result of a run under fault: how it ended, and the record of the server under fault."""

    status: str
    record: str
    code: str | None
    sentence: str
    reasons: frozenset[str]
    attempts: int


@dataclass
class Scene(FleetTest):
    """The fleet. `expected` is what must be measured once nothing fails.

    `mended_at` is when the fault was repaired, if before the end of its block; `healed_at` is when the day was complete. `afterwards` is
    called at the end of the test, to leave the server as it was.
    """

    target: Target | None = None
    neighbour: Target | None = None
    proxy: ChaosProxy | None = None
    timezone: ZoneInfo = TIMEZONE
    day: date = DAY
    deadlines: Deadlines = PATIENT
    outage_seconds: float = OUTAGE_SECONDS
    steps: Steps = field(default_factory=Steps)
    expected: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    mended_at: float | None = None
    healed_at: float | None = None
    error: StoreError | None = None
    run_id: str | None = None
    session_id: UUID = field(default_factory=uuid4)
    afterwards: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(self.home)}))
        self.home.mkdir(parents=True, exist_ok=True)
        for name, server in self.servers.items():
            self.expected.setdefault(name, frozenset(server.databases))
        if self.neighbour:
            self._register(NEIGHBOUR, self.neighbour, self.neighbour.host, self.neighbour.port)
        if self.target and self.proxy:
            self._register(TARGET, self.target, self.proxy.host, self.proxy.port)

    def _register(self, name: str, target: Target, host: str, port: int) -> None:
        query(
            self.store,
            "with made as (insert into credentials (name, username, secret) values (%s, %s, %s) returning credential_id) "
            "insert into instances (name, engine, host, port, is_replica, credential_id) "
            "select %s, %s, %s, %s, %s, credential_id from made returning 1",
            *(name, target.login.username, self._secrets.seal(str(target.login.password))),
            # where one server is both, it is deliberately registered twice
            *(name, target.engine, host, port, name == NEIGHBOUR and target is self.target),
        )
        self.expected[name] = target.databases

    def set_password(self, password: str) -> None:
        """Register another password for the target."""
        query(self.store, "update credentials set secret = %s where name = %s returning 1", self._secrets.seal(password), TARGET)

    def set_address(self, host: str, port: int) -> None:
        """Register another address for the target."""
        query(self.store, "update instances set host = %s, port = %s where name = %s returning 1", host, port, TARGET)

    def collection(self, clock: Callable[[], datetime] | None = None) -> Collection:
        fleet = SteppedFleet(ServerFleet(self.deadlines), FakeFleet(self.servers, self.deadlines), self.steps)
        return replace(super().collection(clock), fleet=fleet, secrets=self._secrets, outage_seconds=self.outage_seconds)

    def run(self, day: date) -> None:
        """Collect a day in its own session, as a run does; a failing store ends it."""
        self.session_id = uuid4()
        plan = SessionPlan(self.session_id, SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day, run_id=self.run_id)
        instances = active_instances(self.store)
        try:
            with sync_session(self.store, plan, instances):
                list(self.collector().collect_day(instances, day, plan.session_id))
        except StoreError as error:
            self.error = error

    def collect_the_day_before(self) -> None:
        """Collect a day on which nothing fails."""
        self.now -= timedelta(days=1)
        self.run(self.day - timedelta(days=1))
        self.now += timedelta(days=1)

    def target_id(self) -> int:
        """The instance id of the server under fault."""
        ((instance_id,),) = query(self.store, "select instance_id from instances where name = %s", TARGET)
        return int(str(instance_id))

    def find_session(self) -> None:
        """Look at the session of the newest Dagster run that did not yield its day to another."""
        ((session_id,),) = query(
            self.store,
            "select session_id from sync_sessions where run_id is not null and retry_of is null and sync_category = 'capacity' "
            "and error_code is distinct from 'SESSION_RUNNING' "
            "order by started_at desc limit 1",
        )
        self.session_id = UUID(str(session_id))

    def seen(self, name: str = TARGET) -> Seen:
        """The result of the last run."""
        ((status, record, code, sentence, attempts),) = query(
            self.store,
            "select s.status, r.status, r.error_code, concat_ws(' ', r.error_message, s.error_message), r.attempts from sync_sessions as s "
            "inner join sync_instance_records as r using (session_id) inner join instances as i using (instance_id) "
            "where session_id = %s and i.name = %s",
            str(self.session_id),
            name,
        )
        gaps = query(
            self.store,
            "select g.reason, g.detail from capacity_gaps as g inner join instances as i using (instance_id) "
            "where g.stat_date = %s and g.closed_by is null and i.name = %s",
            self.day,
            name,
        )
        sentences = " ".join([str(sentence), *(str(gap[1]) for gap in gaps)])
        code = None if code is None else str(code)
        return Seen(str(status), str(record), code, sentences, frozenset(str(gap[0]) for gap in gaps), int(str(attempts)))

    def look_for(self, fault: Fault, name: str = TARGET, printed: str = "") -> None:
        """Check that the visible result of this instance, or what was `printed`, matches the matrix, and that the neighbour is unharmed."""
        seen, neighbour = self.seen(name), self.seen(NEIGHBOUR)
        assert seen.code == fault.code, seen
        assert seen.reasons == set(fault.reasons), seen
        assert fault.says in seen.sentence + printed, (seen, printed)
        assert seen.attempts == fault.attempts, seen
        assert (seen.record, seen.status) == (("failed", "failed") if fault.code else ("completed", "completed")), seen
        assert (neighbour.record, neighbour.reasons) == ("completed", set()), neighbour
        if self.target:
            assert seen.code != UNREACHED or self.target.host in seen.sentence, seen
            assert str(self.target.login.password) not in seen.sentence

    def pass_through(self, broken: AbstractContextManager[None], look: Callable[[], None], work: Callable[[], None] | None = None) -> float:
        """Run a day without fault and one under the fault, check the visible result and all invariants; return the seconds to recovery.

        `work` runs under the fault instead of the service.
        """
        self.collect_the_day_before()
        before = take_snapshot(self.store, self.day)
        assert before.rows
        with broken:
            work() if work else self.run(self.day)
        ended_at = time.monotonic()
        self.mended_at = self.mended_at or ended_at
        look()
        if is_whole(self.store, self.day, self.expected):
            self.healed_at = self.healed_at or ended_at

        def again() -> None:
            self.run(self.day)
            self.healed_at = self.healed_at or time.monotonic()

        check_invariants(self.store, self.day, before, self.expected, again)
        assert self.healed_at
        return max(0.0, self.healed_at - self.mended_at)
