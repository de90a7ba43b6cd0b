"""What `whalefall doctor` makes of what it found: every rule turns facts into findings, and every finding that is bad names the one next
thing to do. The facts are gathered in `doctor/examine.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.domain.sessions import RunningSession
from whalefall_pipelines.retention.expired_rows import Footprint
from whalefall_pipelines.retention.maintenance import Step, StepKind

# The parts of Dagster's daemon without which something of ours does not happen, and how long one may be silent: they speak every 30 s.
DAEMONS = ("SCHEDULER", "SENSOR", "ASSET", "QUEUED_RUN_COORDINATOR", "MONITORING", "BACKFILL")
SILENCE = timedelta(minutes=5)
# What must be on. A test compares it with the definitions, which the layers below them cannot import.
AUTOMATIONS = (
    "bridge_gaps",
    "collect_every_night",
    "create_table_partitions_every_night",
    "end_cancelled_runs",
    "end_dead_runs",
    "end_failed_runs",
    "expire_rows_every_night",
    "expire_table_partitions_every_night",
    "measure_footprint_every_night",
    "missing_table_partitions",
    "reconcile_daily_periods",
    "reconcile_monthly_periods",
    "reconcile_quarterly_periods",
    "reconcile_weekly_periods",
    "refresh_aggregations",
    "retry_failed_instances",
)


class Severity(StrEnum):
    """A problem keeps something from working; a warning will, or may be meant."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do next where it is not fine."""

    check: str
    severity: Severity
    sentence: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialFact:
    """Whether the password of a login can be read here; `why_not` is the sentence of the one who tried, with what to do."""

    name: str
    is_used: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class InstanceFact:
    """What a visit found: the error that ended it, statements for rights that lack, and databases without a size, each with its cure."""

    name: str
    error: str | None = None
    lacking_grants: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


def judge_error(check: str, error: str, next_step: str | None = None, *, otherwise: str = "") -> Finding:
    """An error that ended an examination. The advice behind its last semicolon is the next step, unless there is a better one."""
    said, _, advice = error.rpartition("; ")
    return _problem(check, f"{said}." if said else error, next_step or (advice if said else otherwise))


def judge_timezone(timezone: str, *, clients: str | None, requested: str | None) -> Finding:
    """The store counts days by `timezone`. Its clients must do the same, or `current_date` in psql is another day, and so must we."""
    if requested not in {None, timezone}:
        sentence = f"WHALEFALL_TIMEZONE is {requested}, but the store counts its days by {timezone}, so no command works."
        return _problem("time zone", sentence, f"unset WHALEFALL_TIMEZONE, or run `whalefall store set-timezone {requested}`.")
    if clients != timezone:
        sentence = f"clients of the store count days by {clients or 'the time zone of the server'}, whalefall by {timezone}."
        return _problem("time zone", sentence, "run `whalefall store migrate`.")
    return _fine("time zone", f"days begin in {timezone}, in psql as well.")


def judge_months(steps: Sequence[Step], this: Month) -> list[Finding]:
    """The running month must be there, the coming ones should be, and nothing may be cut off or in the way."""
    create = "run `whalefall partitions create`."
    lacking = [step for step in steps if step.kind is StepKind.CREATE and step.month]
    rules = (
        ("lack, so a run has to make them before it writes", [one for one in lacking if one.month and one.month <= this], _problem, create),
        ("of the coming months lack", [one for one in lacking if one.month and one.month > this], _warning, create),
        (
            "were cut off while they were detached: their rows are in no query",
            [one for one in steps if one.kind is StepKind.FINALIZE],
            _problem,
            "run `whalefall partitions expire`.",
        ),
        (
            "are in the way",
            [one for one in steps if one.kind is StepKind.FOREIGN],
            _problem,
            "look at `whalefall partitions plan`, and rename or drop what is foreign.",
        ),
    )
    bad = [
        judge("table partitions", f"{_some([one.name for one in found])} {why}.", next_step)
        for why, found, judge, next_step in rules
        if found
    ]
    return bad or [_fine("table partitions", "this month and those ahead are there.")]


def judge_footprint(footprint: Footprint) -> Finding:
    """What the installation takes on disk, largest first, and its growth; a fact, never a problem: how much room there is, is unknown."""
    by_size = sorted(footprint.sizes.items(), key=lambda kind_and_size: -kind_and_size[1])
    kinds = ", ".join(f"{kind} {round_size(size)}" for kind, size in by_size)
    grown = footprint.growth_bytes(list(footprint.sizes))
    growth = "its growth is known from tomorrow on"
    if grown is not None:
        growth = f"{round_size(abs(grown))} {'less' if grown < 0 else 'more'} a day since {footprint.earlier_on}"
    return _fine("footprint", f"{round_size(footprint.total_bytes)} on disk ({kinds}); {growth}.")


def judge_sessions(running: Sequence[RunningSession]) -> list[Finding]:
    """A session whose process says nothing any more is dead, and Dagster's daemon should have ended it by now or will within minutes."""
    step = "see that the daemon runs, which ends it within minutes; else run `whalefall sessions cancel {}`."
    bad = [
        _problem("sessions", f"{one.session_id} is called running, but its process is gone.", step.format(one.session_id))
        for one in running
        if not one.is_alive
    ]
    return bad or [_fine("sessions", f"{len(running)} running, none of them dead.")]


def judge_credentials(credentials: Sequence[CredentialFact]) -> list[Finding]:
    """Every password must be readable; one that no active instance uses may wait."""
    bad: list[Finding] = []
    for one in credentials:
        if one.why_not:
            found = judge_error("secrets", one.why_not, otherwise="give the login its password anew.")
            spare = f"leave it, as no active instance uses it, or {found.next_step}"
            bad.append(found if one.is_used else _warning(found.check, found.sentence, spare))
    return bad or [_fine("secrets", f"{len(credentials)} of {len(credentials)} can be read.")]


def judge_daemon(heartbeats: Mapping[str, datetime], now: datetime) -> list[Finding]:
    """Every part that we need must have spoken of late."""
    start = "start it: `whalefall up`, or the service with `dagster-daemon run`."
    if not heartbeats:
        return [_problem("daemon", "Dagster's daemon has never run: nothing happens by itself.", start)]
    silent = [name for name in DAEMONS if name not in heartbeats or now - heartbeats[name] > SILENCE]
    if len(silent) == len(DAEMONS):
        last = max(heartbeats.values())
        return [_problem("daemon", f"Dagster's daemon gave no sign of life since {last:%Y-%m-%d %H:%M}: nothing happens by itself.", start)]
    if silent:
        named = ", ".join(silent).lower()
        return [_problem("daemon", f"these parts of Dagster's daemon are silent: {named}.", "restart the daemon, and read its log.")]
    return [_fine("daemon", "every part of Dagster's daemon gave a sign of life.")]


def judge_automations(states: Mapping[str, str]) -> list[Finding]:
    """Every schedule and sensor of ours must be known to the daemon and not switched off."""
    unknown = [name for name in AUTOMATIONS if name not in states]
    stopped = [name for name in AUTOMATIONS if states.get(name) == "STOPPED"]
    bad: list[Finding] = []
    if unknown:
        step = "see under Deployment in the Dagster UI whether the code location loads, and restart the daemon."
        bad.append(_problem("automation", f"the daemon does not know {_some(unknown)}.", step))
    if stopped:
        bad.append(
            _warning(
                "automation", f"switched off: {_some(stopped)}.", "switch it on under Automation in the Dagster UI, unless that is meant."
            )
        )
    return bad or [_fine("automation", f"all {len(AUTOMATIONS)} schedules and sensors are on.")]


def judge_instances(instances: Sequence[InstanceFact]) -> list[Finding]:
    """Every active instance must let its login in and show every size."""
    if not instances:
        return [_warning("instances", "none is active, so nothing is collected.", "register one: `whalefall instances add`.")]
    bad = [finding for one in instances if (finding := _judge_instance(one))]
    fine = len(instances) - len(bad)
    return [*bad, *([_fine("instances", f"{fine} of {len(instances)} let us in and show every size.")] if fine else [])]


def _judge_instance(one: InstanceFact) -> Finding | None:
    if one.error:
        return judge_error("instances", f"{one.name}: {one.error}", otherwise=f"run `whalefall instances test {one.name}`.")
    grant = f"run on that server: {one.lacking_grants[0]}" if one.lacking_grants else None
    if one.missing:
        return _problem(
            "instances", f"{one.name}: {_some([name for name, _ in one.missing])} cannot be measured.", grant or one.missing[0][1]
        )
    if grant:
        return _warning("instances", f"{one.name}: the login lacks a right, though every database can be measured today.", grant)
    return None


def _fine(check: str, sentence: str) -> Finding:
    return Finding(check, Severity.OK, sentence)


def _warning(check: str, sentence: str, next_step: str) -> Finding:
    return Finding(check, Severity.WARNING, sentence, next_step)


def _problem(check: str, sentence: str, next_step: str) -> Finding:
    return Finding(check, Severity.PROBLEM, sentence, next_step)


def _some(names: Iterable[str], most: int = 5) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
