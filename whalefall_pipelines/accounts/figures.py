"""What reports of accounts consist of: figures of a day, changes, gaps, and the sentences that describe a change. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The figures of a day over the whole fleet. The changes are since the observation before."""

    instances: int
    accounts: int
    built_in: int
    memberships: int
    privileges: int
    created: int
    gone: int
    changed: int
    superusers: int
    unread: int


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the change log. It happened after `observed_before` and not after `day`."""

    day: date
    instance_name: str
    account_name: str
    change_type: str
    detail: Mapping[str, Any]
    session_id: UUID | None
    observed_before: date | None
    change_count: int

    @property
    def sentence(self) -> str:
        """What changed, in words."""
        return describe_change(self.change_type, self.detail)


@dataclass(frozen=True, slots=True)
class Unobserved:
    """An active instance whose accounts were not read on a day, when they were read last, and the error of the attempt, if any."""

    instance_name: str
    observed_on: date | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account of an instance."""

    instance_name: str
    account_name: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """What could not be read. With `account_name` it is an account that is kept although it is missing from the listing."""

    instance_name: str
    account_name: str | None
    scope: str | None
    database_name: str | None
    attribute: str | None
    reason: str
    detail: str
    cure: str | None
    valid_from: date

    @property
    def what(self) -> str:
        """What is unknown, in words."""
        if self.account_name is not None:
            return f"whether {self.account_name} still exists"
        if self.attribute is not None:
            return f"{self.attribute} of every account"
        kind = {None: "privileges", "membership": "memberships", "account": "accounts"}.get(self.scope, f"privileges on {self.scope}")
        return f"{kind} in {self.database_name}" if self.database_name else kind


def describe_object(scope: str, names: Mapping[str, Any]) -> str:
    """The object of a privilege: `table shop.orders.invoices`, or `server`."""
    path = ".".join(str(names[part]) for part in ("database", "schema", "object", "column") if names.get(part) is not None)
    return f"{scope} {path}".strip()


def describe_change(change_type: str, detail: Mapping[str, Any]) -> str:
    """One sentence without the account that it is about."""
    if change_type == "modify_other":
        before, after = _flat(detail["before"]), _flat(detail["after"])
        names = [name for name in after | before if before.get(name) != after.get(name)]
        return "; ".join(f"{name}: {before.get(name)} → {after.get(name)}" for name in names)
    if change_type != "modify_privilege":
        return {"add": "was created", "delete": "was dropped", "restore": "exists again"}[change_type]
    if "role" in detail:
        return f"membership in {detail['role']} {detail['what']}"
    denied = {"deny": "denial of ", "revoke": "withdrawal of "}.get(detail["effect"], "")
    option = " with grant option" if detail["is_grantable"] else ""
    return f"{denied}{detail['privilege']} on {describe_object(detail['scope'], detail)}{option} {detail['what']}"


def _flat(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in attributes.items() if name != "attributes"}, **attributes["attributes"]}
