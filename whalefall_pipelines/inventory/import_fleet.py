"""Imports a fleet file in two steps: the plan with its digest, and carrying out the plan that was read."""

import hashlib
from dataclasses import dataclass, replace

from whalefall_pipelines.errors import ConflictError
from whalefall_pipelines.inventory.identify_servers import Identify
from whalefall_pipelines.inventory.register_instances import carry_out, parse_fleet, plan_fleet
from whalefall_pipelines.inventory.registration import Action, Plan, PlannedCredential, PlannedInstance
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """What the plan does with a login or a server: add, change, restore. A secret is named, never shown."""

    action: str
    kind: str
    name: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plan of a fleet file with its digest, or with `is_done` what was done. With `problems` it cannot be carried out.

    `unchanged` servers are registered as the file has them, `untouched` ones are not in the file. `unreached` servers could not be asked
    who they are; their first probe checks that.
    """

    is_done: bool
    digest: str
    entries: tuple[PlannedEntry, ...]
    unchanged: int
    untouched: int
    unreached: tuple[str, ...]
    problems: tuple[str, ...]


def plan_import(settings: Settings, database: Database, text: str, file_name: str, identify: Identify) -> FleetPlan:
    """How a fleet file changes the registered fleet.

    Raises:
        InputError: entries cannot be registered; the message lists all problems.
    """
    return _shown(plan_fleet(database, parse_fleet(text, file_name, settings), identify), text)


def carry_out_import(settings: Settings, database: Database, text: str, file_name: str, identify: Identify, *, digest: str) -> FleetPlan:
    """Register the servers of a fleet file as the plan with this digest says, all of them or none.

    Raises:
        ConflictError: the plan is another one by now; nothing was written.
        InputError: the plan has problems.
    """
    entries = parse_fleet(text, file_name, settings)
    plan = plan_fleet(database, entries, identify)
    shown = _shown(plan, text)
    if shown.digest != digest:
        raise ConflictError("The plan has changed since it was read, so nothing was registered. Read it again.")
    carry_out(database, entries, plan)
    return replace(shown, is_done=True)


def _shown(plan: Plan, text: str) -> FleetPlan:
    planned = [("login", login) for login in plan.credentials] + [("server", instance) for instance in plan.instances]
    entries = tuple(_entry(kind, entry) for kind, entry in planned if entry.action is not Action.UNCHANGED)
    problems = tuple(problem.sentence for problem in plan.problems)
    return FleetPlan(
        is_done=False,
        # The text has what the plan does not show: the references to secrets.
        digest=hashlib.sha256(f"{text}\0{entries}\0{problems}".encode()).hexdigest(),
        entries=entries,
        unchanged=sum(instance.action is Action.UNCHANGED for instance in plan.instances),
        untouched=plan.untouched,
        unreached=tuple(plan.answers.unreached),
        problems=problems,
    )


def _entry(kind: str, planned: PlannedCredential | PlannedInstance) -> PlannedEntry:
    changes = tuple(f"{change.field}: {change.old or 'none'} → {change.new or 'none'}" for change in planned.changes)
    kept = tuple(f"keeps {text}" for text in planned.kept) if isinstance(planned, PlannedInstance) else ()
    return PlannedEntry(planned.action, kind, planned.entry.name, (*changes, *kept))
