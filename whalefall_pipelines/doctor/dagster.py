"""The checks of Dagster beside the store: whether its daemon runs, and whether every schedule and sensor is on.

`sql/doctor/dagster/` reads tables of Dagster's own schema, as the pinned version has them: `test_daemon.py` compares the answers with a
real Dagster instance, so that an upgrade that changes them fails there.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.doctor.outcome import Outcome, fine, listed, problem, warning
from whalefall_pipelines.store.database import Database

# The parts of Dagster's daemon without which something of ours does not happen, and how long one may be silent: they speak every 30 s.
DAEMONS = ("SCHEDULER", "SENSOR", "ASSET", "QUEUED_RUN_COORDINATOR", "MONITORING", "BACKFILL")
SILENCE = timedelta(minutes=5)


def read_heartbeats(dagster: Database) -> dict[str, datetime]:
    """When each part of Dagster's daemon last sent a heartbeat."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_heartbeats"))
        return dict(cursor.fetchall())


def read_automations(dagster: Database) -> dict[str, str]:
    """The schedules and sensors that the daemon has met, with their states."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_automations"))
        return dict(cursor.fetchall())


def check_daemon(heartbeats: Mapping[str, datetime], now: datetime) -> list[Outcome]:
    """Every part that we need must have spoken of late."""
    start = "start it: `whalefall up`, or the service with `dagster-daemon run`."
    if not heartbeats:
        return [problem("daemon", "Dagster's daemon has never run: nothing happens by itself.", start)]
    silent = [name for name in DAEMONS if name not in heartbeats or now - heartbeats[name] > SILENCE]
    if len(silent) == len(DAEMONS):
        last = max(heartbeats.values())
        return [problem("daemon", f"Dagster's daemon gave no sign of life since {last:%Y-%m-%d %H:%M}: nothing happens by itself.", start)]
    if silent:
        named = ", ".join(silent).lower()
        return [problem("daemon", f"these parts of Dagster's daemon are silent: {named}.", "restart the daemon, and read its log.")]
    return [fine("daemon", "every part of Dagster's daemon gave a sign of life.")]


def check_automations(states: Mapping[str, str], expected: Collection[str]) -> list[Outcome]:
    """Every schedule and sensor of ours must be known to the daemon and not switched off."""
    unknown = [name for name in expected if name not in states]
    stopped = [name for name in expected if states.get(name) == "STOPPED"]
    bad: list[Outcome] = []
    if unknown:
        step = "see under Deployment in the Dagster UI whether the code location loads, and restart the daemon."
        bad.append(problem("automation", f"the daemon does not know {listed(unknown)}.", step))
    if stopped:
        bad.append(
            warning(
                "automation", f"switched off: {listed(stopped)}.", "switch it on under Automation in the Dagster UI, unless that is meant."
            )
        )
    return bad or [fine("automation", f"all {len(expected)} schedules and sensors are on.")]
