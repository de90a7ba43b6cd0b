"""Finds identity conflicts in a plan for the fleet: one server under two names, or a different server under a known name.

`identities.py` has the rules of comparison. Every probe checks the same conflicts (`claim_identities.py`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from whalefall_pipelines.domain.instances import Engine, ServerIdentity
from whalefall_pipelines.inventory.identities import Answers, Comparison, Server, compare_with_before, is_same_server, shared_keys
from whalefall_pipelines.inventory.registration import Action, InstanceEntry, Plan, PlannedInstance, Problem, RegisteredInstance

# The fields of an entry that decide which server it is, and whether it may look like another one.
_DECISIVE = frozenset({"engine", "host", "port", "database", "replica"})


def is_in_question(planned: PlannedInstance) -> bool:
    """Tell whether a planned change may change which server an instance is."""
    is_changed = any(change.field in _DECISIVE for change in planned.changes)
    return planned.action in {Action.ADD, Action.RESTORE} or (planned.action is Action.CHANGE and is_changed)


def check_servers(plan: Plan, stored: Collection[RegisteredInstance], answers: Answers) -> Plan:
    """The plan with its conflicts as problems, and with the identities of its servers."""
    known = {registered.entry.name: registered for registered in stored}
    in_question = [planned for planned in plan.instances if is_in_question(planned)]
    needless = sorted(answers.moved - {planned.entry.name for planned in in_question if planned.entry.name in known})
    problems = [
        Problem(0, f"--moved names {name!r}, but its address does not change; use `whalefall instances accept` instead.")
        for name in needless
    ]
    planned_servers = {planned.entry.name: _planned_server(planned, known.get(planned.entry.name), answers) for planned in plan.instances}
    for planned in in_question:
        name = planned.entry.name
        if name in known and name not in answers.moved:
            problems += _question(planned, known[name], planned_servers[name], answers)
    after = [
        planned_servers.get(registered.entry.name) or registered_server(registered, answers)
        for registered in stored
        if _is_active(registered, planned_servers)
    ]
    after += [server for name, server in planned_servers.items() if name not in known]
    problems += _twins([planned.entry for planned in in_question], after)
    checked = (
        replace(planned, is_moved=planned.entry.name in answers.moved, identity=answers.identities.get(planned.entry.name))
        if is_in_question(planned)
        else planned
        for planned in plan.instances
    )
    return replace(plan, instances=tuple(checked), problems=tuple(sorted(problems)), answers=answers)


def registered_server(registered: RegisteredInstance, answers: Answers) -> Server:
    """A registered instance as a server, with its current identity if it was read."""
    return _server(registered.entry, answers.identities.get(registered.entry.name) or registered.server_identity, answers)


def find_twins(instances: Iterable[RegisteredInstance], names: Collection[str], answers: Answers) -> list[Problem]:
    """A problem for each of these active instances that is the same server as another one."""
    active = [registered for registered in instances if registered.is_active]
    return _twins(
        [registered.entry for registered in active if registered.entry.name in names],
        [registered_server(registered, answers) for registered in active],
    )


def _is_active(registered: RegisteredInstance, planned: Mapping[str, Server]) -> bool:
    return registered.is_active or (registered.deleted_at is not None and registered.entry.name in planned)


def _planned_server(planned: PlannedInstance, known: RegisteredInstance | None, answers: Answers) -> Server:
    name = planned.entry.name
    stored = known.server_identity if known and name not in answers.moved else None
    return _server(planned.entry, answers.identities.get(name, stored), answers)


def _server(entry: InstanceEntry, identity: ServerIdentity | None, answers: Answers) -> Server:
    return Server(
        name=entry.name,
        engine=entry.engine,
        addresses=answers.addresses.get(entry.host, frozenset({entry.host.lower()})),
        port=entry.port,
        service=entry.database if entry.engine is Engine.ORACLE else None,
        identity=identity,
        is_replica=entry.is_replica,
    )


def _question(planned: PlannedInstance, known: RegisteredInstance, now: Server, answers: Answers) -> list[Problem]:
    """Moved, or another server? Only a person can decide. An instance that was never reached has no history to mix up."""
    if known.last_connected_at is None:
        return []
    entry, before = planned.entry, _server(known.entry, known.server_identity, answers)
    comparison = compare_with_before(before, now, is_asked=entry.name in answers.identities)
    if comparison is Comparison.SAME:
        return []
    if comparison is Comparison.ANOTHER and before.identity and now.identity:
        why = f"{entry.name!r} was {before.identity.name} until now, and {now.identity.name} answers at {entry.host}:{entry.port}"
    else:
        why = f"{entry.name!r} was {_place(known.entry)} until now, and it is unknown whether {_place(entry)} is the same server"
    answer = f"Another server needs its own name. If it was moved or rebuilt, pass --moved {entry.name}."
    return [Problem(entry.line or 0, f"{why}: was it moved, or is it another server? {answer}")]


def _place(entry: InstanceEntry) -> str:
    service = f"/{entry.database}" if entry.engine is Engine.ORACLE and entry.database else ""
    return f"the {entry.engine} at {entry.host}:{entry.port}{service}"


def _twins(entries: Sequence[InstanceEntry], servers: Sequence[Server]) -> list[Problem]:
    """One problem per pair. If both are in question, the later one gets it."""
    by_key: defaultdict[tuple[str, ...], list[Server]] = defaultdict(list)
    by_name = {server.name: server for server in servers}
    for server in servers:
        for key in shared_keys(server):
            by_key[key].append(server)
    position = {entry.name: number for number, entry in enumerate(entries)}
    problems: list[Problem] = []
    for entry in entries:
        server = by_name.get(entry.name)
        candidates = {other.name: other for key in shared_keys(server) for other in by_key[key]} if server else {}
        for other in candidates.values():
            is_earlier = position.get(other.name, -1) < position[entry.name]
            if server and is_earlier and is_same_server(server, other):
                problems.append(Problem(entry.line or 0, _twin_sentence(server, other)))
                break
    return problems


def _twin_sentence(server: Server, other: Server) -> str:
    who = server.identity.name if server.identity and other.identity else "the same address"
    return (
        f"{server.name!r} is the same server as {other.name!r} ({who}), so its databases would be counted twice; "
        f"remove {other.name!r} first if {server.name!r} is its new name. If it is a separate server after all, set "
        "`replica: true` in the file, or pass --replica."
    )
