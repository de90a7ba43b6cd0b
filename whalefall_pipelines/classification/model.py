"""Classes, versions of rules and what an evaluation did: the values that the modules of this room pass around. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from whalefall_pipelines.domain.quantities import counted

# The class whose new accounts are announced.
PRIVILEGED = "privileged"
MOST_NAMES = 10


class Axis(StrEnum):
    """What a class tells: what an account may do, or in which state it is. A locked account keeps its privileges, so these are two."""

    POWER = "power"
    STATE = "state"


class Origin(StrEnum):
    """Who wrote a version of a rule. Only a shipped version is replaced by a newer shipped one."""

    SHIPPED = "shipped"
    PERSON = "person"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Classification:
    """A class. `risk_level` is 1 (highest) to 6."""

    code: str
    display_name: str
    axis: Axis
    risk_level: int
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Where a rule comes from."""

    benchmark: str
    benchmark_version: str
    section: str
    section_title: str

    @property
    def text(self) -> str:
        """The whole reference."""
        return f"{self.benchmark} {self.benchmark_version}, {self.section} {self.section_title}"


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a person writes of a rule. `expression` and `examples` are as stored."""

    rule_name: str
    classification_code: str
    engine: str
    expression: Mapping[str, Any]
    description: str = ""
    benchmark: Benchmark | None = None
    examples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One stored version of a rule."""

    rule_id: int
    rule_group_id: UUID
    rule_version: int
    rule_name: str
    classification_code: str
    axis: Axis
    engine: str
    description: str
    expression: Mapping[str, Any]
    benchmark: str | None
    benchmark_version: str | None
    section: str | None
    section_title: str | None
    examples: Sequence[Mapping[str, Any]]
    origin: Origin
    created_by: str
    created_at: datetime
    is_active: bool
    superseded_at: datetime | None

    @property
    def title(self) -> str:
        """The rule and its version, in words."""
        return f"{self.rule_name} (version {self.rule_version})"

    @property
    def text(self) -> RuleText:
        """What a person wrote of it."""
        reference = None
        if self.benchmark and self.benchmark_version and self.section and self.section_title:
            reference = Benchmark(self.benchmark, self.benchmark_version, self.section, self.section_title)
        return RuleText(
            self.rule_name, self.classification_code, self.engine, self.expression, self.description, reference, tuple(self.examples)
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that failed, or an engine without rules. Its accounts keep what they had; `account_names` are the first of them."""

    engine: str
    subject: str
    message: str
    account_count: int
    account_names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What failed, for which accounts."""
        names = ", ".join(self.account_names)
        more = f" and {self.account_count - len(self.account_names)} more" if self.account_count > len(self.account_names) else ""
        singular, plural = f"account of {self.engine} keeps its classes", f"accounts of {self.engine} keep their classes"
        kept = f"{counted(self.account_count, singular, plural)}: {names}{more}"
        return f"{self.subject}: {self.message}; {kept if self.account_count else f'no account of {self.engine} is known'}"


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many accounts of an engine are in a class on a day; how many entered and left it on that day."""

    code: str
    axis: Axis
    risk_level: int
    engine: str
    accounts: int
    entered: int
    gone: int


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a class on a day. Without a rule it was assigned by hand."""

    account_id: int
    classification_id: int
    rule_id: int | None
    instance_name: str
    account_name: str
    code: str
    axis: Axis
    risk_level: int
    assignment_type: str
    rule_name: str | None
    rule_version: int | None
    assigned_by: str
    notes: str | None
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Which accounts in classes are asked for: those of a day, and those of these instances, this class and this name, if any is given."""

    day: date
    names: Sequence[str] = ()
    code: str | None = None
    account_name: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the statements."""
        return {"day": self.day, "names": list(self.names) or None, "code": self.code, "account_name": self.account_name}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluation did to the assignments of how many accounts."""

    accounts: int
    rules: int
    opened: int
    closed: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class NewMember:
    """An account that rules put into a class on a day."""

    instance_name: str
    account_name: str
    rule_names: tuple[str, ...]
