"""The functions that rules may ask: arguments, meaning, and the answer for one account, which is true, false or unknown.

The same answers for all accounts at once are `sql/classification/functions/<name>.sql`. A test compares both over random facts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from whalefall_pipelines.classification import answers
from whalefall_pipelines.classification.answers import Answer, Arguments
from whalefall_pipelines.classification.arguments import Argument, engines, flag, number, pattern, text, texts, version
from whalefall_pipelines.classification.facts import AccountFacts
from whalefall_pipelines.classification.tree import Call, Gate, Node
from whalefall_pipelines.errors import InputError

_NAME, _LIKE = Argument(text), Argument(pattern)
_OPTIONAL_NAME, _OPTIONAL_LIKE = Argument(text, is_required=False), Argument(pattern, is_required=False)
_OPTIONAL_FLAG = Argument(flag, is_required=False)
_PRIVILEGE = {
    "name": _OPTIONAL_NAME,
    "like": _OPTIONAL_LIKE,
    "scope": _OPTIONAL_NAME,
    "database": _OPTIONAL_NAME,
    "object": _OPTIONAL_NAME,
    "grantable": _OPTIONAL_FLAG,
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function. `answer` asks one account; with `expand` it is only another way to write a tree, which may depend on the engine."""

    meaning: str
    arguments: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    answer: Callable[[AccountFacts, Arguments], Answer] | None = None
    expand: Callable[[Arguments, str], Node] | None = None


def _has_privilege(arguments: Arguments, _engine: str) -> Node:
    return Call("reaches", {**arguments, "own": True})


def _owns(arguments: Arguments, _engine: str) -> Node:
    return Call("reaches", {"name": "OWNER", **arguments})


def _capability(arguments: Arguments, engine: str) -> Node:
    capabilities = capabilities_of(engine)
    if arguments["name"] not in capabilities:
        raise InputError(f"{engine} has no capability {arguments['name']!r}; it has {', '.join(capabilities)}")
    return capabilities[str(arguments["name"])]


def capabilities_of(engine: str) -> Mapping[str, Node]:
    """The product's capabilities of an engine, as trees of other functions."""
    superuser, expired = Call("is_superuser", {}), Call("is_expired", {})
    may_not_log_in = Gate("NOT", (Call("has_attribute", {"name": "can_login"}),))
    common: dict[str, Node] = {"SUPERUSER": superuser, "LOCKED": Gate("OR", (Call("is_locked", {}), may_not_log_in, expired))}
    if engine == "postgresql":
        attributes = {
            "CREATEROLE": "can_create_roles",
            "CREATEDB": "can_create_databases",
            "REPLICATION": "can_replicate",
            "BYPASSRLS": "bypasses_row_security",
            "LOGIN": "can_login",
            "INHERIT": "inherits",
        }
        of_postgresql: dict[str, Node] = {name: Call("has_attribute", {"name": attribute}) for name, attribute in attributes.items()}
        return {**common, "LOCKED": Gate("OR", (may_not_log_in, expired)), **of_postgresql, "GRANT_ADMIN": of_postgresql["CREATEROLE"]}
    grants: dict[str, tuple[Node, ...]] = {
        "mysql": (Call("has_privilege", {"name": "GRANT OPTION", "scope": "server"}),),
        "sqlserver": (
            Call("has_role", {"name": "securityadmin"}),
            Call("has_privilege", {"name": "CONTROL SERVER", "scope": "server"}),
        ),
        "oracle": (Call("has_role", {"name": "DBA"}), Call("has_privilege", {"name": "GRANT ANY PRIVILEGE", "scope": "server"})),
    }
    return {**common, "GRANT_ADMIN": Gate("OR", grants[engine])} if engine in grants else common


FUNCTIONS: Mapping[str, Function] = {
    "db_type_in": Function("Its engine is one of `types`.", {"types": Argument(engines)}, answers.db_type_in),
    "kind_in": Function(
        "Its kind is one of `kinds`: user, role, group, application, anonymous.", {"kinds": Argument(texts)}, answers.kind_in
    ),
    "is_built_in": Function("The server itself created it.", {}, answers.is_built_in),
    "is_superuser": Function("It is a superuser by itself.", {}, answers.is_superuser),
    "is_locked": Function("The server has locked it.", {}, answers.is_locked),
    "is_expired": Function("Its password has expired, or its validity has ended.", {}, answers.is_expired),
    "has_attribute": Function(
        "An attribute is true, such as can_login, has_empty_password, or one of the engine's own attributes.",
        {"name": _NAME},
        answers.has_attribute,
    ),
    "has_capability": Function(
        "An engine's capability, such as SUPERUSER, GRANT_ADMIN, LOCKED or CREATEROLE.", {"name": _NAME}, expand=_capability
    ),
    "has_role": Function("It has a role now, directly or through other roles.", {"name": _NAME}, answers.has_role),
    "can_become": Function(
        "It can become the role `name`, a role `like` a pattern or, with `superuser`, a superuser, by SET ROLE through any number of "
        "roles.",
        {"name": _OPTIONAL_NAME, "like": _OPTIONAL_LIKE, "superuser": _OPTIONAL_FLAG},
        answers.can_become,
    ),
    "has_privilege": Function(
        "It was granted a privilege directly: `name` exactly, or `like` a pattern, or any privilege; on a `scope`, in a `database`, on an "
        "`object` of this name, or `grantable` to others.",
        _PRIVILEGE,
        expand=_has_privilege,
    ),
    "reaches": Function(
        "It has a privilege, directly or through roles that it has now; with `own` only directly; with `public` also if everyone has it on "
        "that server.",
        {**_PRIVILEGE, "own": _OPTIONAL_FLAG, "public": _OPTIONAL_FLAG},
        answers.reaches,
    ),
    "owns": Function(
        "It owns something, directly or through roles.",
        {"scope": _OPTIONAL_NAME, "database": _OPTIONAL_NAME, "object": _OPTIONAL_NAME},
        expand=_owns,
    ),
    "name_matches": Function("Its name is like a pattern.", {"like": _LIKE}, answers.name_matches),
    "host_matches": Function(
        "The host from which it may connect is like a pattern (MySQL, MariaDB).", {"like": _LIKE}, answers.host_matches
    ),
    "host_count_over": Function(
        "More than `count` accounts of its server have its user name with different hosts (MySQL, MariaDB).",
        {"count": Argument(number)},
        answers.host_count_over,
    ),
    "password_older_than": Function(
        "Its password was changed more than `days` days ago.", {"days": Argument(number)}, answers.password_older_than
    ),
    "not_seen_since": Function(
        "It has not logged in for more than `days` days, nor since it was first observed. Unknown if the server does not report logins.",
        {"days": Argument(number)},
        answers.not_seen_since,
    ),
    "tag_is": Function("Its server has a tag.", {"name": _NAME, "value": Argument(text)}, answers.tag_is),
    "server_version_at_least": Function("The version of its server.", {"version": Argument(version)}, answers.server_version_at_least),
    "member_count_over": Function(
        "More than `count` accounts are its direct members.", {"count": Argument(number)}, answers.member_count_over
    ),
}
SIGNATURES: Mapping[str, Mapping[str, Argument]] = {name: function.arguments for name, function in FUNCTIONS.items()}


def expanded(call: Call, engine: str) -> Node | None:
    """The tree that a function stands for; None if it stands for itself.

    Raises:
        InputError: it means nothing for this engine.
    """
    expand = FUNCTIONS[call.name].expand
    return expand(call.arguments, engine) if expand else None
