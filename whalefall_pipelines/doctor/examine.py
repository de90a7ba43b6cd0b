"""Checks a whole installation: the store, Dagster, and the checks of every area. It changes nothing."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from whalefall_pipelines.areas import areas
from whalefall_pipelines.doctor.dagster import check_automations, check_daemon, read_automations, read_heartbeats
from whalefall_pipelines.doctor.examined import Examined, Installation
from whalefall_pipelines.doctor.outcome import Outcome, Severity, fine, problem, problem_of_error, warning
from whalefall_pipelines.errors import LocalServerError, SchemaError, StoreError, StoreUnreachableError
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import installation as store_installation
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import describe

STORE = "store"


def examine(installation: Installation) -> Iterator[Outcome]:
    """Check everything, and yield each outcome as soon as it is known. Stop if the store cannot be reached."""
    settings = installation.settings
    for variable in settings.unknown_variables:
        yield warning("settings", str(variable), f"correct its name, or remove it; it may also be in {settings.home / 'settings.env'}.")
    try:
        address = embedded.address(settings)
    except LocalServerError as error:
        yield problem_of_error(STORE, str(error))
        return
    try:
        with closing(embedded.open_database(settings)) as store, closing(Database(address.dagster, store.timezone, pool_size=1)) as dagster:
            is_migrated = yield from _check_store(store, settings)
            dagster_answers = yield from _check_dagster(dagster, installation, address)
            if is_migrated:
                examined = Examined(installation, store, dagster if dagster_answers else None)
                # The areas at the end of the list need only the store. The servers take longest and come last.
                for area in reversed(areas()):
                    if area.has_doctor_checks:
                        yield from area.load("doctor_checks").check(examined)
    except StoreUnreachableError as error:
        start = "run `whalefall store start`." if address.is_embedded else "start that server, or correct WHALEFALL_DATABASE_URL."
        yield problem_of_error(STORE, str(error), start)


def is_reached(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether the store could be reached."""
    return not any(outcome.check == STORE and outcome.severity is Severity.PROBLEM for outcome in outcomes)


def _check_store(store: Database, settings: Settings) -> Generator[Outcome, None, bool]:
    """Check the store and its schema; return whether the schema matches this program."""
    try:
        migrations.check(store)
    except SchemaError as error:
        yield fine(STORE, f"{describe(store.url)} answers.")
        yield problem_of_error("schema", str(error))
        return False
    yield fine(STORE, f"{describe(store.url)} answers.")
    yield fine("schema", f"at version {len(migrations.shipped())}, which this program requires.")
    with store.transaction() as cursor:
        clients = store_installation.find_client_timezone(cursor)
    requested = settings.timezone
    yield check_timezone(store.timezone.key, clients=clients, requested=requested.key if requested else None)
    return True


def check_timezone(timezone: str, *, clients: str | None, requested: str | None) -> Outcome:
    """Check that clients of the store and this process use the store's time zone; otherwise `current_date` in psql may be another day."""
    if requested not in {None, timezone}:
        sentence = f"WHALEFALL_TIMEZONE is {requested}, but the time zone of the store is {timezone}, so no command works."
        return problem("time zone", sentence, f"unset WHALEFALL_TIMEZONE, or run `whalefall store set-timezone {requested}`.")
    if clients != timezone:
        sentence = f"clients of the store use {clients or 'the time zone of the server'}, but whalefall uses {timezone}."
        return problem("time zone", sentence, "run `whalefall store migrate`.")
    return fine("time zone", f"days begin in {timezone}, in psql as well.")


def _check_dagster(dagster: Database, installation: Installation, address: StoreAddress) -> Generator[Outcome, None, bool]:
    """Check the daemon and its schedules and sensors; return whether Dagster's database answers."""
    try:
        heartbeats, automations = read_heartbeats(dagster), read_automations(dagster)
    except StoreUnreachableError as error:
        yield problem_of_error("daemon", str(error), _way_to_dagster(address, installation.settings))
        return False
    except StoreError as error:
        yield problem_of_error("daemon", str(error), "run `whalefall store migrate`, which also creates Dagster's tables.")
        return False
    yield from check_daemon(heartbeats, installation.clock())
    if heartbeats:
        yield from check_automations(automations, sorted(name for area in areas() for name in area.automations))
    return True


def _way_to_dagster(address: StoreAddress, settings: Settings) -> str:
    """The next step if Dagster's database does not answer, depending on how its address was configured."""
    make = "run `whalefall store migrate`, which creates it if it is missing"
    if address.is_embedded:
        return f"{make}."
    named = "correct" if settings.dagster_database_url else "set"
    return f"{make}, or {named} WHALEFALL_DAGSTER_DATABASE_URL to the database in your dagster.yaml."
