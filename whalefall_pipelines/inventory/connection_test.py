"""The connection test of registered servers: connects, lists and measures, and stores only their versions and identities.

Collecting sizes is `capacity/collect.py`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from whalefall_pipelines.areas import areas
from whalefall_pipelines.clock import Clock, system_clock
from whalefall_pipelines.domain.instances import DatabaseFilter, Engine, Instance, Login, ServerIdentity
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize
from whalefall_pipelines.errors import InputError, SizesError, WhalefallError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Fleet, Privilege, Probe, Question
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.claim_identities import claim, duplicate_server, refuse_another_server
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.inventory.store.identities import find_same_server
from whalefall_pipelines.inventory.store.instances import mark_connected
from whalefall_pipelines.sessions.each_instance import each_instance
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """The result of testing one server. A field is None if the test failed before it was known.

    `visible` counts the listed databases, `hidden` those that the filter excludes, `missing` has those without a size. If there is a
    `grant_to_list`, the server may have more databases than it lists.
    """

    instance: Instance
    server_version: str | None = None
    driver: str | None = None
    identity: ServerIdentity | None = None
    privileges: tuple[Privilege, ...] = ()
    connect_seconds: float | None = None
    round_trip_seconds: float | None = None
    visible: int | None = None
    hidden: int | None = None
    grant_to_list: str | None = None
    measurable: int | None = None
    total_bytes: int | None = None
    missing: tuple[MissingSize, ...] = ()
    error: WhalefallError | None = None

    @property
    def is_reached(self) -> bool:
        """Tell whether the login succeeded."""
        return self.server_version is not None

    @property
    def is_fine(self) -> bool:
        """Tell whether every database is listed and can be measured."""
        return self.error is None and self.grant_to_list is None and not self.missing


@dataclass(frozen=True, slots=True)
class ConnectionTester:
    """Tests connections. It holds the connections to the servers, the store and the settings.

    Of each of the `questions` beside the sizes it asks which privileges they need.
    """

    database: Database
    fleet: Fleet
    secrets: SecretBox
    filters: Mapping[Engine, DatabaseFilter]
    parallel: int | None
    clock: Clock = system_clock
    questions: Sequence[Question[Probe]] = ()

    def test_all(self, instances: Sequence[Instance]) -> tuple[ConnectionTest, ...]:
        """Test every instance in parallel, and store the versions and those new identities that are unique.

        The results are in the order of the instances.
        """
        tests = {tested.instance.instance_id: self._claim_identity(tested) for tested in self.test_each(instances)}
        now = self.clock()
        connected = {key: (tested.server_version, now) for key, tested in tests.items() if tested.server_version is not None}
        with self.database.transaction() as cursor:
            mark_connected(cursor, connected)
        return tuple(tests[instance.instance_id] for instance in instances)

    def test_each(self, instances: Sequence[Instance]) -> Iterator[ConnectionTest]:
        """Test every instance in parallel and yield each result as soon as it is available. Nothing is stored."""
        for instance, outcome in each_instance(instances, self.examine, parallel=self.parallel, interrupt=self.fleet.shut_all):
            if isinstance(outcome, Exception):
                error = WhalefallError(f"{instance.name!r} failed unexpectedly, {type(outcome).__name__}: {outcome}")
                yield ConnectionTest(instance, error=error)
            else:
                yield outcome

    def examine(self, instance: Instance) -> ConnectionTest:
        """Test one instance. Errors are part of the result."""
        answer = ConnectionTest(instance)
        started = time.monotonic()
        try:
            login = self.secrets.reveal(instance.secret, instance.username, instance.name)
            with self.fleet.connect(SIZES, instance, login) as probe:
                connected = time.monotonic()
                answer = replace(answer, server_version=probe.server_version, driver=probe.driver, connect_seconds=connected - started)
                answer = replace(answer, privileges=tuple(probe.privileges()), identity=probe.identity())
                answer = replace(answer, privileges=(*answer.privileges, *self._further_privileges(instance, login)))
                self._refuse_other_identity(instance, answer.identity, probe.server_version)
                asked = time.monotonic()
                listed = probe.list_databases()
                wanted = [name for name in listed if not self.filters[instance.engine].hides(name)]
                answer = replace(
                    answer,
                    round_trip_seconds=time.monotonic() - asked,
                    visible=len(listed),
                    hidden=len(listed) - len(wanted),
                    grant_to_list=probe.grant_to_list(),
                )
                return _with_outcomes(answer, probe.measure(wanted) if wanted else ())
        except WhalefallError as error:
            return replace(answer, error=error)

    def _further_privileges(self, instance: Instance, login: Login) -> Iterator[Privilege]:
        """What the further questions need; an engine without an adapter for one needs nothing."""
        for question in self.questions:
            try:
                with self.fleet.connect(question, instance, login) as probe:
                    yield from probe.privileges()
            except InputError:
                continue

    def _refuse_other_identity(self, instance: Instance, identity: ServerIdentity | None, server_version: str) -> None:
        """Refuse the same conflicts as a probe: a different server under a known name, or the server of another instance."""
        refuse_another_server(instance, identity, server_version)
        if identity:
            with self.database.transaction() as cursor:
                same = find_same_server(cursor, instance, identity)
            if same is not None:
                raise duplicate_server(instance, identity, same)

    def _claim_identity(self, answer: ConnectionTest) -> ConnectionTest:
        """Store a new identity, unless another instance of this test has it."""
        if answer.error:
            return answer
        try:
            with self.database.transaction() as cursor:
                claim(cursor, {answer.instance: answer.identity})
        except SizesError as error:
            return replace(answer, error=error)
        return answer


def server_tester(settings: Settings, database: Database, fleet: Fleet | None = None) -> ConnectionTester:
    """A tester for the real servers with the settings of this installation."""
    collecting = settings.of(CollectingSettings)
    secrets, filters = SecretBox(settings), read_filters(settings)
    questions: tuple[Question[Probe], ...] = tuple(Question(name) for area in areas() for name in area.questions)
    servers = fleet or ServerFleet(collecting.deadlines, collecting.reached)
    return ConnectionTester(database, servers, secrets, filters, collecting.parallel_instances, questions=questions)


def _with_outcomes(answer: ConnectionTest, outcomes: Sequence[DatabaseSize | MissingSize]) -> ConnectionTest:
    sizes = [outcome for outcome in outcomes if isinstance(outcome, DatabaseSize)]
    return replace(
        answer,
        measurable=len(sizes),
        total_bytes=sum(size.total_bytes for size in sizes) if sizes else None,
        missing=tuple(outcome for outcome in outcomes if isinstance(outcome, MissingSize)),
    )
