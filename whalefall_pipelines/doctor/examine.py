"""Looks at a whole installation and says what is wrong: the store, Dagster beside it, the logins, and every server. It changes nothing.

What is wrong and what to do about it is decided in `doctor/rules.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.doctor import rules as doctor
from whalefall_pipelines.doctor.rules import CredentialFact, Finding, InstanceFact, Severity
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import DEAD_AFTER_SECONDS
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.errors import LocalServerError, LoginRejectedError, SchemaError, StoreError, StoreUnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.inventory.connection_test import Examination, Examiner
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.inventory.store.instances import active_instances, read_fleet
from whalefall_pipelines.retention.expire_rows import Databases, read_footprint
from whalefall_pipelines.retention.maintain_table_partitions import plan
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.sessions.store import list_running
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import installation, migrations
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import describe

STORE = "store"


@dataclass(frozen=True, slots=True)
class Installation:
    """What is examined. `on_progress` is told how many of how many servers have answered; without `with_instances` none is asked."""

    settings: Settings
    with_instances: bool = True
    fleet: Fleet | None = None
    dead_after_seconds: float = DEAD_AFTER_SECONDS
    on_progress: Callable[[int, int], None] = lambda _done, _all: None
    clock: Clock = system_clock

    def examine(self) -> Iterator[Finding]:
        """Everything, each finding as it is made. Nothing follows when the store cannot be reached."""
        try:
            address = embedded.address(self.settings)
        except LocalServerError as error:
            yield doctor.judge_error(STORE, str(error))
            return
        try:
            with closing(embedded.open_database(self.settings)) as database:
                yield from self._store(database)
                yield from self._dagster(address, database)
                if self.with_instances and _is_migrated(database):
                    yield from self._instances(database)
        except StoreUnreachableError as error:
            start = "run `whalefall store start`." if address.is_embedded else "start that server, or correct WHALEFALL_DATABASE_URL."
            yield doctor.judge_error(STORE, str(error), start)

    def _store(self, database: Database) -> Iterator[Finding]:
        try:
            migrations.check(database)
        except SchemaError as error:
            yield Finding(STORE, Severity.OK, f"{describe(database.url)} answers.")
            yield doctor.judge_error("schema", str(error))
            return
        yield Finding(STORE, Severity.OK, f"{describe(database.url)} answers.")
        yield Finding("schema", Severity.OK, f"at version {len(migrations.shipped())}, as this program needs it.")
        with database.transaction() as cursor:
            clients = installation.find_client_timezone(cursor)
        requested = self.settings.requested_timezone
        yield doctor.judge_timezone(database.timezone.key, clients=clients, requested=requested.key if requested else None)
        day = today(self.clock(), database.timezone)
        yield from doctor.judge_months(plan(database, self.settings, day), Month(day.year, day.month))
        yield from doctor.judge_sessions(list_running(database, self.dead_after_seconds))
        yield from doctor.judge_credentials(_credentials(database, SecretBox(self.settings)))

    def _dagster(self, address: StoreAddress, database: Database) -> Iterator[Finding]:
        with closing(Database(address.dagster, database.timezone, pool_size=1)) as dagster:
            try:
                heartbeats, automations = installation.read_heartbeats(dagster), installation.read_automations(dagster)
            except StoreUnreachableError as error:
                yield doctor.judge_error("daemon", str(error), self._way_to_dagster(address))
                return
            except StoreError as error:
                yield doctor.judge_error("daemon", str(error), "run `whalefall store migrate`, which makes Dagster's tables, too.")
                return
            if _is_migrated(database):
                yield doctor.judge_footprint(read_footprint(Databases(database, dagster), today(self.clock(), database.timezone)))
        yield from doctor.judge_daemon(heartbeats, self.clock())
        if heartbeats:
            yield from doctor.judge_automations(automations)

    def _way_to_dagster(self, address: StoreAddress) -> str:
        """What to do where Dagster's database does not answer: who names it is who can put it right."""
        make = "run `whalefall store migrate`, which makes it where it lacks"
        if address.is_embedded:
            return f"{make}."
        named = "correct" if self.settings.dagster_database_url else "name another than that beside the store by"
        return f"{make}, or {named} WHALEFALL_DAGSTER_DATABASE_URL: it is where your dagster.yaml keeps Dagster."

    def _instances(self, database: Database) -> Iterator[Finding]:
        given = self.settings
        deadlines = Deadlines(given.connect_timeout_seconds, given.statement_timeout_seconds, given.instance_timeout_seconds)
        examiner = Examiner(database, self.fleet or ServerFleet(deadlines), SecretBox(given), read_filters(given), given.parallel_instances)
        targets = active_instances(database)
        facts: dict[str, InstanceFact] = {}
        for number, one in enumerate(examiner.examine_each(targets), start=1):
            facts[one.instance.name] = _instance_fact(one)
            self.on_progress(number, len(targets))
        yield from doctor.judge_instances([facts[target.name] for target in targets])


def is_reached(findings: Sequence[Finding]) -> bool:
    """Tell whether the store could be asked at all."""
    return not any(one.check == STORE and one.severity is Severity.PROBLEM for one in findings)


def _is_migrated(database: Database) -> bool:
    try:
        migrations.check(database)
    except SchemaError:
        return False
    return True


def _credentials(database: Database, secrets: SecretBox) -> list[CredentialFact]:
    with database.transaction() as cursor:
        credentials, instances = read_fleet(cursor)
    used = {one.login.name for one in instances if one.is_active}
    return [CredentialFact(one.name, one.name in used, _why_not(secrets, one.secret, one.username, one.name)) for one in credentials]


def _why_not(secrets: SecretBox, secret: str | None, username: str, name: str) -> str | None:
    try:
        secrets.reveal(secret, username, name)
    except LoginRejectedError as error:
        return str(error)
    return None


def _instance_fact(one: Examination) -> InstanceFact:
    is_locked_out = isinstance(one.error, LoginRejectedError) and one.error.reason is Reason.SECRET_UNREADABLE
    error = "its password cannot be read; do what is said of secrets." if is_locked_out else str(one.error or "")
    return InstanceFact(
        name=one.instance.name,
        error=error or None,
        lacking_grants=tuple(right.statement for right in one.rights if not (right.is_held or right.is_optional)),
        missing=tuple((gap.database_name, _cure(gap)) for gap in one.missing),
    )


def _cure(gap: MissingSize) -> str:
    return f"run on that server: {gap.detail}" if gap.reason is Reason.NO_PERMISSION else gap.detail
