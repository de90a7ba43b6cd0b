"""The doctor's checks of the inventory: every password is readable, and every server is reachable with all privileges."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, listed, problem, problem_of_error, warning
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.errors import LoginRejectedError
from whalefall_pipelines.inventory.connection_test import ConnectionTest, server_tester
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.inventory.store.instances import read_fleet
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class CredentialFact:
    """Whether the password of a login can be read. `why_not` is the error message, with advice."""

    name: str
    is_used: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class InstanceFact:
    """The result of a connection test: the error, the GRANTs of missing privileges, and the unmeasurable databases with advice."""

    name: str
    error: str | None = None
    missing_grants: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


def check(examined: Examined) -> Iterator[Outcome]:
    """Check the passwords, and test every active server."""
    yield from check_credentials(_credentials(examined.store, SecretBox(examined.settings)))
    if examined.installation.with_instances:
        yield from check_instances(_instances(examined))


def check_credentials(credentials: Sequence[CredentialFact]) -> list[Outcome]:
    """Check that every password is readable. An unused one is only a warning."""
    bad: list[Outcome] = []
    for credential in credentials:
        if credential.why_not:
            unreadable = problem_of_error("secrets", credential.why_not, otherwise="set the password of the login again.")
            spare = f"ignore it, because no active instance uses it, or {unreadable.next_step}"
            bad.append(unreadable if credential.is_used else warning(unreadable.check, unreadable.sentence, spare))
    return bad or [fine("secrets", f"{len(credentials)} of {len(credentials)} can be read.")]


def check_instances(instances: Sequence[InstanceFact]) -> list[Outcome]:
    """Check that every active instance is reachable and that all of its databases can be measured."""
    if not instances:
        return [warning("instances", "no instance is active, so nothing is collected.", "register one with `whalefall instances add`.")]
    bad = [outcome for instance in instances if (outcome := _check_instance(instance))]
    reachable = len(instances) - len(bad)
    total = f"of {len(instances):,}"
    sentence = f"{counted(reachable, f'{total} is', f'{total} are')} reachable with all privileges."
    return [*bad, *([fine("instances", sentence)] if reachable else [])]


def _check_instance(instance: InstanceFact) -> Outcome | None:
    if instance.error:
        return problem_of_error(
            "instances", f"{instance.name}: {instance.error}", otherwise=f"run `whalefall instances test {instance.name}`."
        )
    grant = f"run on that server: {instance.missing_grants[0]}" if instance.missing_grants else None
    if instance.missing:
        return problem(
            "instances",
            f"{instance.name}: {listed([name for name, _ in instance.missing])} cannot be measured.",
            grant or instance.missing[0][1],
        )
    if grant:
        return warning(
            "instances", f"{instance.name}: the login is missing a privilege, although every database can be measured today.", grant
        )
    return None


def _instances(examined: Examined) -> list[InstanceFact]:
    """Test every active instance in parallel; the results are in the order of the store."""
    installation = examined.installation
    tester = server_tester(examined.settings, examined.store, installation.fleet)
    instances = active_instances(examined.store, zones=examined.settings.of(CollectingSettings).reached)
    facts: dict[str, InstanceFact] = {}
    for number, connection_test in enumerate(tester.test_each(instances), start=1):
        facts[connection_test.instance.name] = _instance_fact(connection_test)
        installation.on_progress(number, len(instances))
    return [facts[instance.name] for instance in instances]


def _credentials(database: Database, secrets: SecretBox) -> list[CredentialFact]:
    with database.transaction() as cursor:
        credentials, instances = read_fleet(cursor)
    used = {registered.login.name for registered in instances if registered.is_active}
    return [
        CredentialFact(credential.name, credential.name in used, _why_not(secrets, credential.secret, credential.username, credential.name))
        for credential in credentials
    ]


def _why_not(secrets: SecretBox, secret: str | None, username: str, name: str) -> str | None:
    try:
        secrets.reveal(secret, username, name)
    except LoginRejectedError as error:
        return str(error)
    return None


def _instance_fact(tested: ConnectionTest) -> InstanceFact:
    is_locked_out = isinstance(tested.error, LoginRejectedError) and tested.error.reason is Reason.SECRET_UNREADABLE
    error = "its password cannot be read; follow the advice for secrets." if is_locked_out else str(tested.error or "")
    return InstanceFact(
        name=tested.instance.name,
        error=error or None,
        missing_grants=tuple(privilege.statement for privilege in tested.privileges if not (privilege.is_held or privilege.is_optional)),
        missing=tuple((gap.database_name, _cure(gap)) for gap in tested.missing),
    )


def _cure(gap: MissingSize) -> str:
    return f"run on that server: {gap.detail}" if gap.reason is Reason.NO_PERMISSION else gap.detail
