"""Who has a privilege, and the shortest chain through which: a pure function over the steps that the store found."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

StepKind = Literal["superuser", "fact", "member", "become"]


@dataclass(frozen=True, slots=True)
class Target:
    """An object whose privileges are asked for; without `object_name` it is a database."""

    instance_id: int
    instance_name: str
    engine: str
    database_name: str | None
    schema_name: str | None
    object_name: str | None

    @property
    def name(self) -> str:
        """The full name of the object."""
        return ".".join(part for part in (self.database_name, self.schema_name, self.object_name) if part is not None)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of one account on the way to a privilege: it is a superuser, has a fact, is a member of `via_id`, or may become it.

    `has_now` is yes, depends, or no (it can only become somebody who has it); None if it is only on the way of others.
    """

    instance_id: int
    database_name: str | None
    account_id: int
    account_name: str
    account_kind: str
    can_login: bool | None
    is_everyone: bool
    has_now: str | None
    step: StepKind
    via_id: int | None
    privilege: str | None
    scope: str | None
    origin: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class PathStep:
    """A role that an account comes to, whose privileges it has unless it `is_to_become` this role first; the last step is what it has."""

    name: str
    is_to_become: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that has a privilege on a target, or can become somebody who has it.

    `has_now` is yes, depends, or no: it can only become somebody who has it. `since` is the first observed day of the youngest step. An
    account that `is_everyone` stands for all accounts of its instance.
    """

    target: Target
    account_name: str
    account_kind: str
    can_login: bool | None
    is_everyone: bool
    has_now: str
    steps: tuple[PathStep, ...]
    since: date | None

    @property
    def path(self) -> str:
        """The steps on one line: → leads to a role whose privileges it has, and ⇒ to one that it must become by SET ROLE."""
        if len(self.steps) == 1 and not self.steps[0].is_to_become:
            return self.steps[0].name
        return " ".join(f"{'⇒' if step.is_to_become else '→'} {step.name}" for step in self.steps)


@dataclass(frozen=True, slots=True)
class _Chain:
    steps: tuple[PathStep, ...]
    since: date | None


def find_holders(targets: Iterable[Target], rows: Sequence[StepRow]) -> tuple[Holder, ...]:
    """The holders of every target, in the order of the rows, each with its shortest chain."""
    by_target: defaultdict[tuple[int, str | None], list[StepRow]] = defaultdict(list)
    for row in rows:
        by_target[row.instance_id, row.database_name].append(row)
    return tuple(holder for target in targets for holder in _holders(target, by_target[target.instance_id, target.database_name]))


def _holders(target: Target, rows: Sequence[StepRow]) -> list[Holder]:
    names = {row.account_id: row.account_name for row in rows}
    accounts = {row.account_id: row for row in rows if row.has_now is not None}
    inherited = _walk(_facts(rows), [row for row in rows if row.step == "member"], names, is_to_become=False)
    # A superuser has everything by itself; that is not inherited, so no chain leads through it.
    having = inherited | {row.account_id: _Chain((PathStep("superuser"),), row.since) for row in rows if row.step == "superuser"}
    of_everyone = next((having[row.account_id] for row in rows if row.is_everyone and row.account_id in having), _Chain((), None))
    start = {key: having.get(key, of_everyone) for key, row in accounts.items() if row.has_now == "yes"}
    becoming = _walk(start, [row for row in rows if row.step == "become"], names, is_to_become=True)
    chains = {key: becoming[key] if row.has_now in {"yes", "no"} else having.get(key, of_everyone) for key, row in accounts.items()}
    return [
        Holder(
            target,
            row.account_name,
            row.account_kind,
            row.can_login,
            row.is_everyone,
            str(row.has_now),
            chains[key].steps,
            chains[key].since,
        )
        for key, row in accounts.items()
    ]


def _facts(rows: Sequence[StepRow]) -> dict[int, _Chain]:
    """The chain of every account that has the privilege by a fact: by the most exact one, and of these by the oldest."""
    exact_first = sorted((row for row in rows if row.step == "fact"), key=lambda row: (row.scope != "table", row.since or date.min))
    chains: dict[int, _Chain] = {}
    for row in exact_first:
        chains.setdefault(row.account_id, _Chain((PathStep(f"{row.privilege} on {row.scope} ({row.origin})"),), row.since))
    return chains


def _walk(start: Mapping[int, _Chain], edges: Iterable[StepRow], names: Mapping[int, str], *, is_to_become: bool) -> dict[int, _Chain]:
    """Extend the chains along edges, breadth first, so that the first chain of an account is its shortest."""
    members: defaultdict[int | None, list[StepRow]] = defaultdict(list)
    for edge in edges:
        members[edge.via_id].append(edge)
    chains = dict(start)
    waiting = deque(start)
    while waiting:
        via = waiting.popleft()
        for edge in members[via]:
            if edge.account_id not in chains:
                chain = chains[via]
                step = PathStep(names[via], is_to_become)
                chains[edge.account_id] = _Chain((step, *chain.steps), _later(chain.since, edge.since))
                waiting.append(edge.account_id)
    return chains


def _later(first: date | None, second: date | None) -> date | None:
    return max((day for day in (first, second) if day is not None), default=None)
