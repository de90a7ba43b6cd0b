"""The answer of each function for one account, with the fact behind it. None is unknown; `functions.py` has what they mean."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from whalefall_pipelines.classification.arguments import ArgumentValue
from whalefall_pipelines.classification.facts import ADMINISTRATIVE, AccountFacts, HeldPrivilege, ReachedRole
from whalefall_pipelines.domain.instances import like_expression
from whalefall_pipelines.domain.quantities import counted

Arguments = Mapping[str, ArgumentValue]
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
# The engine that tells the last login of every account: there NULL means that it never logged in.
_TELLS_LOGINS = "oracle"


class Answer(NamedTuple):
    """True, false or unknown, and the fact that says so."""

    value: bool | None
    fact: str


def db_type_in(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Never unknown."""
    return Answer(facts.engine in _texts(arguments["types"]), f"its engine is {facts.engine}")


def kind_in(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Never unknown."""
    return Answer(facts.account_kind in _texts(arguments["kinds"]), f"its kind is {facts.account_kind}")


def is_built_in(facts: AccountFacts, _arguments: Arguments) -> Answer:
    """Never unknown."""
    return Answer(facts.is_built_in, "it is built in" if facts.is_built_in else "it is not built in")


def is_superuser(facts: AccountFacts, _arguments: Arguments) -> Answer:
    """A superuser that is none may still be an administrator by what was not read."""
    value = facts.attribute("is_superuser")
    gap = facts.is_unread(*ADMINISTRATIVE)
    return Answer(None, gap.sentence) if value is False and gap else Answer(value, _attribute(facts, "is_superuser"))


def is_locked(facts: AccountFacts, _arguments: Arguments) -> Answer:
    """Unknown if the server does not tell."""
    return Answer(facts.attribute("is_locked"), _attribute(facts, "is_locked"))


def is_expired(facts: AccountFacts, _arguments: Arguments) -> Answer:
    """Without a day on which it expires it never does, unless that was not read."""
    if facts.attribute("is_password_expired"):
        return Answer(True, "its password has expired")  # noqa: FBT003 - an answer is true, false or unknown
    if facts.password_expires_on is not None and facts.password_expires_on <= facts.day:
        return Answer(True, f"its password is valid until {facts.password_expires_on}")  # noqa: FBT003
    if gap := facts.is_unread("is_password_expired", "password_expires_at"):
        return Answer(None, gap.sentence)
    until = facts.password_expires_on
    return Answer(False, f"its password is valid until {until}" if until else "its password does not expire")  # noqa: FBT003


def has_attribute(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Unknown if there is no such attribute, or if it is not a truth value."""
    name = str(arguments["name"])
    return Answer(facts.attribute(name), _attribute(facts, name))


def has_role(facts: AccountFacts, arguments: Arguments) -> Answer:
    """No is unknown where memberships were not read."""
    name = str(arguments["name"])
    role = next((role for role in facts.roles if role.has_now and name in {role.name, role.short_name}), None)
    return Answer(True, f"it is a member: {role.chain or role.name}") if role else _no_member(facts, f"it does not have the role {name}")  # noqa: FBT003


def can_become(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Becoming any of several is true, false or unknown as OR is."""
    reachable = [role for role in facts.roles if role.can_become]
    answers: list[Answer] = []
    if "name" in arguments:
        name = str(arguments["name"])
        role = next((role for role in reachable if name in {role.name, role.short_name}), None)
        answers.append(_become(role) if role else _no_member(facts, f"it cannot become {name}"))
    if "like" in arguments:
        likes = like_expression(str(arguments["like"]))
        role = next((role for role in reachable if likes.fullmatch(role.name)), None)
        answers.append(_become(role) if role else _no_member(facts, "it cannot become such a role"))
    if "superuser" in arguments:
        answers += [is_superuser(facts, {}), _no_member(facts, "it cannot become a superuser")]
        answers += [_become(role) for role in reachable if role.is_superuser]
        answers += [Answer(None, f"whether {role.name} is a superuser is unknown") for role in reachable if role.is_superuser is None]
    return _any(answers)


def reaches(facts: AccountFacts, arguments: Arguments) -> Answer:
    """By itself, through roles, or as everybody. What is denied on the way may still be had on another object: that is unknown."""
    asked = [
        held
        for held in facts.privileges
        if held.is_own or (held.is_public and "public" in arguments) or (not held.is_public and "own" not in arguments)
    ]
    matching = [held for held in asked if _fits(held, arguments)]
    granted = next((held for held in matching if held.effect == "grant"), None)
    denied = next((held for held in matching if held.effect == "deny"), None)
    if granted and denied:
        return Answer(None, f"{granted.privilege} is granted, and denied on {denied.target}")
    if granted:
        return Answer(True, " ".join(filter(None, (granted.chain, granted.privilege, f"on {granted.target}"))))  # noqa: FBT003
    scope, database = scope_of(arguments), arguments.get("database")
    gap = facts.unread_privileges(scope, None if database is None else str(database))
    gap = gap or (None if "own" in arguments else facts.unread_memberships())
    return Answer(None, gap.sentence) if gap else Answer(False, "it has no such privilege")  # noqa: FBT003


def name_matches(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Never unknown."""
    matches = like_expression(str(arguments["like"])).fullmatch(facts.account_name)
    return Answer(matches is not None, f"its name is {facts.account_name}")


def host_matches(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Unknown on engines whose accounts have no host."""
    host = facts.attributes.get("host")
    if not isinstance(host, str):
        return Answer(None, "it has no host")
    return Answer(like_expression(str(arguments["like"])).fullmatch(host) is not None, f"its host is {host}")


def host_count_over(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Unknown on engines whose accounts have no host."""
    if not isinstance(facts.attributes.get("user"), str):
        return Answer(None, "it has no host")
    fact = counted(facts.host_count, "account of its server has its user name", "accounts of its server have its user name")
    return Answer(facts.host_count > int(arguments["count"]), fact)  # type: ignore[arg-type]


def password_older_than(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Unknown if the server does not tell."""
    changed = facts.password_changed_on
    if changed is None:
        return Answer(None, "the date of its last password change is unknown")
    return Answer(changed < facts.day - _days(arguments), f"its password was changed on {changed}")


def not_seen_since(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Logins after the day of the question say nothing about that day. Never "unused": only not seen since it was first observed."""
    last, first, limit = facts.last_login_on, facts.first_seen_on, facts.day - _days(arguments)
    if last is None and facts.engine == _TELLS_LOGINS and first is not None:
        return Answer(first < limit, f"it has not logged in since {first}, when it was first observed")
    if last is None or last > facts.day:
        return Answer(None, "its last login is unknown")
    return Answer(last < limit, f"it last logged in on {last}")


def tag_is(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Never unknown."""
    name = str(arguments["name"])
    value = facts.tags.get(name)
    return Answer(value == arguments["value"], f"its server has no tag {name}" if value is None else f"the tag {name} is {value}")


def server_version_at_least(facts: AccountFacts, arguments: Arguments) -> Answer:
    """By the first numbers of the server's version text."""
    numbers = _NUMBERS.search(facts.server_version or "")
    if numbers is None:
        return Answer(None, "the version of its server is unknown")
    return Answer(_numbers(numbers[0]) >= _numbers(str(arguments["version"])), f"its server is {facts.server_version}")


def member_count_over(facts: AccountFacts, arguments: Arguments) -> Answer:
    """Few is unknown where memberships were not read."""
    fact = f"it has {counted(facts.member_count, 'direct member')}"
    if facts.member_count > int(arguments["count"]):  # type: ignore[arg-type]
        return Answer(True, fact)  # noqa: FBT003
    return _no_member(facts, fact)


def _fits(held: HeldPrivilege, arguments: Arguments) -> bool:
    if "name" in arguments and held.privilege != arguments["name"]:
        return False
    if "like" in arguments and like_expression(str(arguments["like"])).fullmatch(held.privilege) is None:
        return False
    if "database" in arguments and held.database_name != arguments["database"]:
        return False
    if "object" in arguments and held.object_name != arguments["object"]:
        return False
    # what is denied is denied whether or not it could have been granted on
    if "grantable" in arguments and held.effect == "grant" and not held.is_grantable:
        return False
    return scope_of(arguments) in {None, held.scope}


def scope_of(arguments: Arguments) -> str | None:
    """The scope that is asked for; what belongs to no database is called global by the product."""
    scope = arguments.get("scope")
    return "server" if scope == "global" else None if scope is None else str(scope)


def _no_member(facts: AccountFacts, fact: str) -> Answer:
    gap = facts.unread_memberships()
    return Answer(None, "memberships were not read") if gap else Answer(False, fact)  # noqa: FBT003


def _become(role: ReachedRole) -> Answer:
    return Answer(True, f"it can become {role.chain or role.name}")  # noqa: FBT003


def _any(answers: list[Answer]) -> Answer:
    """OR of three values."""
    return min(answers, key=lambda answer: {True: 0, None: 1, False: 2}[answer.value])


def _attribute(facts: AccountFacts, name: str) -> str:
    value = facts.attributes.get(name)
    shown = "unknown" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return f"{name} is {shown}"


def _days(arguments: Arguments) -> timedelta:
    return timedelta(days=int(arguments["days"]))  # type: ignore[arg-type]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def _texts(value: ArgumentValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)
