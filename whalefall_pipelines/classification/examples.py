"""The examples of a rule: facts written by hand, and the answer that the rule must give. They run whenever a rule is saved."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, timedelta
from typing import Any, cast

from whalefall_pipelines.classification.evaluate import Explanation, evaluate
from whalefall_pipelines.classification.facts import AccountFacts, HeldPrivilege, ReachedRole, UnreadFacts
from whalefall_pipelines.classification.tree import Node
from whalefall_pipelines.errors import InputError

EXPECTED: Mapping[object, bool | None] = {True: True, False: False, "true": True, "false": False, "unknown": None}
_ANSWERS: Mapping[bool | None, str] = {True: "true", False: "false", None: "unknown"}
# Examples have no day of their own: their days are counted from it.
_DAY = date(2000, 1, 1)
_DAYS = {
    "password_changed_days_ago": ("password_changed_on", -1),
    "password_expires_in_days": ("password_expires_on", 1),
    "first_seen_days_ago": ("first_seen_on", -1),
    "last_login_days_ago": ("last_login_on", -1),
}
_PLAIN = {
    "name": ("account_name", str),
    "kind": ("account_kind", str),
    "is_built_in": ("is_built_in", bool),
    "attributes": ("attributes", dict),
    "host_count": ("host_count", int),
    "member_count": ("member_count", int),
    "tags": ("tags", dict),
    "server_version": ("server_version", str),
}
_LISTS = {
    "roles": ("roles", ReachedRole, "name"),
    "privileges": ("privileges", HeldPrivilege, "privilege"),
    "unread": ("unread", UnreadFacts, "scope"),
}


def refuse_failing_examples(tree: Node, engine: str, examples: object) -> None:
    """Run the examples of a rule.

    Raises:
        InputError: an example is not valid, or the rule answers something else; the message has the number of the example and the tree.
    """
    if not isinstance(examples, list | tuple):
        raise InputError("examples must be a list")
    for number, example in enumerate(cast("list[object]", examples), start=1):
        if not isinstance(example, Mapping) or set(cast("Mapping[str, object]", example)) != {"account", "expected"}:
            raise InputError(f"example {number} must have exactly the keys account and expected")
        document = cast("Mapping[str, Any]", example)
        expected = document["expected"]
        if not isinstance(expected, bool | str) or expected not in EXPECTED:
            raise InputError(f"example {number} must expect true, false or unknown, not {expected!r:.60}")
        explanation = evaluate(tree, account_of_example(engine, document["account"], number))
        if explanation.value is not EXPECTED[expected]:
            raise InputError(
                f"example {number} expects {_ANSWERS[EXPECTED[expected]]}, but the rule answers {_ANSWERS[explanation.value]}: "
                f"{summary(explanation)}"
            )


def summary(explanation: Explanation) -> str:
    """The leaves of an explanation in one line."""
    if explanation.parts:
        return ", ".join(summary(part) for part in explanation.parts)
    return f"{explanation.label} is {_ANSWERS[explanation.value]} ({explanation.fact})"


def account_of_example(engine: str, document: object, number: int) -> AccountFacts:
    """The facts that an example writes.

    Raises:
        InputError: it has something that is no fact.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"the account of example {number} must be a mapping of facts")
    values: dict[str, Any] = {"first_seen_on": _DAY}
    for key, value in cast("Mapping[str, Any]", document).items():
        if key in _DAYS and isinstance(value, int):
            name, sign = _DAYS[key]
            values[name] = _DAY + sign * timedelta(days=value)
        elif key in _PLAIN and isinstance(value, _PLAIN[key][1]):
            values[_PLAIN[key][0]] = value
        elif key in _LISTS and isinstance(value, list):
            name, kind, short = _LISTS[key]
            values[name] = tuple(_item(kind, short, item, f"{key} of example {number}") for item in cast("list[object]", value))
        else:
            known = ", ".join(sorted({*_DAYS, *_PLAIN, *_LISTS}))
            raise InputError(f"example {number} has no fact {key!r:.60} of this kind; the facts are {known}")
    return AccountFacts(engine, _DAY, **values)


def _item(kind: type[Any], short: str, document: object, what: str) -> Any:
    """A role, privilege or gap: its name alone, or a mapping of its fields."""
    values = {short: document} if isinstance(document, str) else document
    names = {each.name for each in fields(kind)}
    if not isinstance(values, Mapping) or not {str(key) for key in cast("Mapping[object, object]", values)} <= names:
        raise InputError(f"{what}: each must be a text or a mapping of {', '.join(sorted(names))}")
    try:
        return kind(**cast("Mapping[str, Any]", values))
    except TypeError:
        raise InputError(f"{what}: one has no {short}") from None
