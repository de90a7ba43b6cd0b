"""The checks of Dagster: its daemon is running, and every schedule and sensor is on.

`sql/doctor/dagster/` reads tables of Dagster's own schema in the pinned version. `test_daemon.py` compares the results with a real Dagster
instance, so that an upgrade that changes the schema fails there.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.doctor.outcome import Outcome, fine, listed, problem, warning
from whalefall_pipelines.store.database import Database

# The daemon threads that whalefall needs, and the maximum age of their heartbeats, which they send every 30 s.
DAEMONS = ("SCHEDULER", "SENSOR", "ASSET", "QUEUED_RUN_COORDINATOR", "MONITORING", "BACKFILL")
SILENCE = timedelta(minutes=5)


def read_heartbeats(dagster: Database) -> dict[str, datetime]:
    """When each thread of Dagster's daemon last sent a heartbeat."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_heartbeats"))
        return dict(cursor.fetchall())


def read_automations(dagster: Database) -> dict[str, str]:
    """The schedules and sensors that the daemon knows, with their states."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_automations"))
        return dict(cursor.fetchall())


def check_daemon(heartbeats: Mapping[str, datetime], now: datetime) -> list[Outcome]:
    """Check that every required daemon thread sent a heartbeat recently."""
    start = "start it with `whalefall up`, or start your service that runs `dagster-daemon run`."
    if not heartbeats:
        return [problem("daemon", "Dagster's daemon has never run, so no schedule or sensor works.", start)]
    silent = [name for name in DAEMONS if name not in heartbeats or now - heartbeats[name] > SILENCE]
    if len(silent) == len(DAEMONS):
        last = max(heartbeats.values())
        return [
            problem(
                "daemon", f"the last heartbeat of Dagster's daemon was at {last:%Y-%m-%d %H:%M}, so no schedule or sensor works.", start
            )
        ]
    if silent:
        named = ", ".join(silent).lower()
        return [
            problem("daemon", f"these threads of Dagster's daemon send no heartbeat: {named}.", "restart the daemon, and check its log.")
        ]
    return [fine("daemon", "every required thread of Dagster's daemon sends heartbeats.")]


def check_automations(states: Mapping[str, str], expected: Collection[str]) -> list[Outcome]:
    """Check that the daemon knows every schedule and sensor, and that none is switched off."""
    unknown = [name for name in expected if name not in states]
    stopped = [name for name in expected if states.get(name) == "STOPPED"]
    bad: list[Outcome] = []
    if unknown:
        step = "check under Deployment in the Dagster UI that the code location loads, and restart the daemon."
        bad.append(problem("automation", f"the daemon does not know {listed(unknown)}.", step))
    if stopped:
        bad.append(
            warning(
                "automation",
                f"switched off: {listed(stopped)}.",
                "switch it on under Automation in the Dagster UI, unless this is intended.",
            )
        )
    return bad or [fine("automation", f"all {len(expected)} schedules and sensors are on.")]
