"""Reads the identities of servers and resolves their host names before a plan for the fleet is shown. Nothing is written.

`identity_conflicts.py` evaluates the answers.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from whalefall_pipelines.domain.instances import Instance, ServerIdentity
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.addresses import resolve_hosts
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Fleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.identities import Answers
from whalefall_pipelines.inventory.identity_conflicts import is_in_question
from whalefall_pipelines.inventory.registration import CredentialEntry, Plan, RegisteredInstance, instance_of
from whalefall_pipelines.sessions.each_instance import each_instance
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox

RESOLVE_SECONDS = 3.0
# Returns the answers for a plan, given the stored logins and instances.
Identify = Callable[[Plan, Sequence[CredentialEntry], Sequence[RegisteredInstance]], Answers]


@dataclass(frozen=True, slots=True)
class Identifier:
    """Reads identities. With `is_offline` only addresses are compared. `on_progress` gets the numbers of finished and of all servers."""

    fleet: Fleet
    secrets: SecretBox
    parallel: int | None
    moved: Collection[str] = ()
    is_offline: bool = False
    on_progress: Callable[[int, int], None] = lambda _done, _all: None

    def identify(self, plan: Plan, credentials: Sequence[CredentialEntry], stored: Sequence[RegisteredInstance]) -> Answers:
        """Read the identity of every server that the plan adds or moves, and of registered servers that may be one of them, restarted.

        A server that cannot be reached is no obstacle: its first probe checks the identity.
        """
        in_question = [planned for planned in plan.instances if is_in_question(planned)]
        logins = {login.name: login for login in (*credentials, *(planned.entry for planned in plan.credentials))}
        targets = [instance_of(planned.entry, logins[planned.entry.credential_name], 0) for planned in in_question]
        identities, unreached = self._ask(targets)
        doubtful, _ = self._ask(_started_otherwise(identities, stored))
        return Answers(
            identities=identities | {name: identity for name, identity in doubtful.items() if identity},
            unreached=unreached,
            addresses=resolve_hosts(_hosts(targets, stored), seconds=RESOLVE_SECONDS),
            moved=frozenset(self.moved),
        )

    def _ask(self, targets: Sequence[Instance]) -> tuple[dict[str, ServerIdentity | None], dict[str, str]]:
        identities: dict[str, ServerIdentity | None] = {}
        unreached: dict[str, str] = {}
        wanted = () if self.is_offline else tuple(targets)
        for instance, outcome in each_instance(wanted, self._identity_of, parallel=self.parallel, interrupt=self.fleet.shut_all):
            if isinstance(outcome, Exception):
                unreached[instance.name] = str(outcome) if isinstance(outcome, TargetError) else f"unexpected {type(outcome).__name__}"
            else:
                identities[instance.name] = outcome
            self.on_progress(len(identities) + len(unreached), len(wanted))
        return identities, unreached

    def _identity_of(self, instance: Instance) -> ServerIdentity | None:
        login = self.secrets.reveal(instance.secret, instance.username, instance.name)
        with self.fleet.connect(SIZES, instance, login) as probe:
            return probe.identity()


def server_identifier(
    settings: Settings, moved: Collection[str], on_progress: Callable[[int, int], None], *, is_offline: bool
) -> Identifier:
    """An identifier of the real servers. Each has twice the connection deadline for its whole answer."""
    collecting = settings.of(CollectingSettings)
    seconds = collecting.connect_timeout_seconds
    fleet = ServerFleet(Deadlines(connect_seconds=seconds, statement_seconds=seconds, instance_seconds=2 * seconds), collecting.reached)
    return Identifier(fleet, SecretBox(settings), collecting.parallel_instances, moved, is_offline=is_offline, on_progress=on_progress)


def _started_otherwise(identities: Mapping[str, ServerIdentity | None], stored: Iterable[RegisteredInstance]) -> list[Instance]:
    """Active instances that may be one of these servers, restarted since their identity was last read."""
    told = {identity.name for identity in identities.values() if identity}
    return [
        registered.instance
        for registered in stored
        if registered.is_active
        and registered.entry.name not in identities
        and registered.server_identity
        and registered.server_identity.name in told
    ]


def _hosts(targets: Sequence[Instance], stored: Iterable[RegisteredInstance]) -> set[str]:
    """Hosts whose addresses matter: those in question, their previous hosts, and others with the same engine and port."""
    names = {target.name for target in targets}
    ports = {(target.engine, target.port) for target in targets}
    others = [
        registered.entry
        for registered in stored
        if registered.entry.name in names or (registered.entry.engine, registered.entry.port) in ports
    ]
    return {*(target.host for target in targets), *(entry.host for entry in others)}
