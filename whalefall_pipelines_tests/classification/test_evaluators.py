"""The statements that evaluate all accounts at once give the answers of the evaluator for one account, over random facts and trees."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines import queries
from whalefall_pipelines.classification.evaluate import evaluate
from whalefall_pipelines.classification.facts import AccountFacts
from whalefall_pipelines.classification.functions import FUNCTIONS, SIGNATURES, capabilities_of
from whalefall_pipelines.classification.model import Axis, Origin, RuleVersion
from whalefall_pipelines.classification.read_facts import read_facts
from whalefall_pipelines.classification.store.compile import compile_rules, parse_rule
from whalefall_pipelines.classification.store.evaluation import evaluate_rules, stage_accounts
from whalefall_pipelines.classification.tree import Call, Gate, Node, document_of, nodes, parse_expression
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.classification.world import DATABASES, DAY, ENGINES, OBJECTS, SCOPES, facts_of, random_server, write

_NAMES = ("dba", "reader", "owner_role", "user_1", "public", "app")
_PRIVILEGES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(("SELECT", "DROP ANY TABLE", "OWNER")),
        "like": st.sampled_from(("%ANY%", "SELEC_", "OWNER", "%")),
        "scope": st.sampled_from((*SCOPES, "global", "account")),
        "database": st.sampled_from(DATABASES[1:]),
        "object": st.sampled_from(OBJECTS[1:]),
        "grantable": st.just(value=True),
        "own": st.just(value=True),
        "public": st.just(value=True),
    },
)


def _without(*names: str) -> st.SearchStrategy[dict[str, object]]:
    return _PRIVILEGES.map(lambda arguments: {key: value for key, value in arguments.items() if key not in names})


_DAYS = st.fixed_dictionaries({"days": st.sampled_from((0, 1, 89, 90, 91, 100_000))})
_LIKES = st.fixed_dictionaries({"like": st.sampled_from(("%", "user\\_%", "%_1", "10.0.\\%", "local%", "[%", "a%"))})
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "db_type_in": st.fixed_dictionaries({"types": st.lists(st.sampled_from(ENGINES), min_size=1, max_size=3).map(tuple)}),
    "kind_in": st.fixed_dictionaries({"kinds": st.lists(st.sampled_from(("user", "role", "group")), min_size=1, max_size=2).map(tuple)}),
    "has_attribute": st.fixed_dictionaries(
        {"name": st.sampled_from(("can_login", "has_empty_password", "can_create_roles", "none", "host"))}
    ),
    "has_capability": st.fixed_dictionaries({"name": st.sampled_from(("SUPERUSER", "LOCKED"))}),
    "has_role": st.fixed_dictionaries({"name": st.sampled_from(_NAMES)}),
    "can_become": st.one_of(
        st.fixed_dictionaries({"like": st.sampled_from(("%", "read%"))}),
        st.fixed_dictionaries({"name": st.sampled_from(_NAMES)}),
        st.fixed_dictionaries({"superuser": st.just(value=True)}),
        st.fixed_dictionaries({"name": st.sampled_from(_NAMES), "superuser": st.just(value=True)}),
    ),
    "has_privilege": _without("own", "public"),
    "reaches": _PRIVILEGES,
    "owns": _without("own", "public", "name", "like", "grantable"),
    "name_matches": _LIKES,
    "host_matches": _LIKES,
    "host_count_over": st.fixed_dictionaries({"count": st.integers(0, 3)}),
    "member_count_over": st.fixed_dictionaries({"count": st.integers(0, 3)}),
    "password_older_than": _DAYS,
    "not_seen_since": _DAYS,
    "tag_is": st.fixed_dictionaries({"name": st.sampled_from(("env", "none")), "value": st.sampled_from(("prod", "test"))}),
    "server_version_at_least": st.fixed_dictionaries({"version": st.sampled_from(("15", "15.4", "15.4.1", "10.11.19", "10.2"))}),
}
CALLS = st.sampled_from(sorted(FUNCTIONS)).flatmap(
    lambda name: ARGUMENTS.get(name, st.just({})).map(lambda arguments: Call(name, arguments))  # type: ignore[arg-type]
)
TREES: st.SearchStrategy[Node] = st.recursive(
    CALLS,
    lambda parts: st.one_of(
        st.builds(Gate, st.sampled_from(("AND", "OR")), st.lists(parts, min_size=1, max_size=3).map(tuple)),
        st.builds(Gate, st.just("NOT"), st.tuples(parts)),
    ),
    max_leaves=6,
)


def rule(rule_id: int, tree: Node, engine: str) -> RuleVersion:
    now = datetime.now(UTC)
    of_nothing = (None, None, None, None, (), Origin.PERSON, "test", now)
    return RuleVersion(rule_id, uuid4(), 1, f"rule {rule_id}", "c", Axis.POWER, engine, "", document_of(tree), *of_nothing, True, None)


class _RollBack(Exception):  # noqa: N818
    pass


def answers_of_statements(store: Database, seed: int, trees: list[Node]) -> dict[tuple[int, int], tuple[bool | None, AccountFacts]]:
    """Evaluate each tree and its negation by statements; return what they say with the facts of the account, by tree and account."""
    chance = random.Random(seed)  # noqa: S311
    servers = [random_server(chance) for _ in range(4)]
    accounts = [(account, server) for server in servers for account in server.accounts]
    said: dict[int, set[int]] = {}
    try:
        with store.transaction() as cursor:
            for number, server in enumerate(servers):
                write(cursor, server, f"server {number}")
            stage_accounts(cursor, DAY, None)
            rules = [rule(2 * number, tree, engine) for number, tree in enumerate(trees) for engine in ENGINES]
            rules += [rule(2 * number + 1, Gate("NOT", (tree,)), engine) for number, tree in enumerate(trees) for engine in ENGINES]
            assert evaluate_rules(cursor, rules, DAY, lambda: None) == {}
            cursor.execute("select rule_id, array_agg(account_id) from matches group by rule_id")
            said = {rule_id: set(matched) for rule_id, matched in cursor.fetchall()}
            raise _RollBack  # noqa: TRY301
    except _RollBack:
        pass
    return {
        (number, account.account_id): (_said(said, number, account.account_id), facts_of(server, account))
        for number in range(len(trees))
        for account, server in accounts
    }


def _said(said: dict[int, set[int]], number: int, account_id: int) -> bool | None:
    is_true, is_false = (account_id in said.get(2 * number + negated, set()) for negated in (0, 1))
    assert not (is_true and is_false)
    return True if is_true else False if is_false else None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), trees=st.lists(TREES, min_size=4, max_size=8))
def test_statements_and_evaluator_agree(store: Database, seed: int, trees: list[Node]) -> None:
    for (number, _), (answer, facts) in answers_of_statements(store, seed, trees).items():
        explanation = evaluate(trees[number], facts)
        assert answer == explanation.value, (explanation, facts)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_function_agrees_and_says_true_false_and_unknown(store: Database, name: str) -> None:
    """Every function by itself, over several random fleets, so that none is compared only by chance."""
    chance = random.Random(name)  # noqa: S311
    trees = [Call(name, arguments) for arguments in _examples(name, chance)]
    values: set[bool | None] = set()
    for seed in range(3):
        for (number, _), (answer, facts) in answers_of_statements(store, seed, list(trees)).items():
            assert answer == evaluate(trees[number], facts).value, (trees[number], facts)
            values.add(answer)
    assert {True, False} <= values


def _examples(name: str, chance: random.Random) -> list[dict[str, object]]:
    """Arguments that together ask about everything."""
    lists: dict[str, list[dict[str, object]]] = {
        "db_type_in": [{"types": ("mysql", "oracle")}],
        "kind_in": [{"kinds": ("role",)}],
        "has_attribute": [{"name": each} for each in ("can_login", "can_create_roles", "host")],
        "has_capability": [{"name": each} for each in ("SUPERUSER", "LOCKED")],
        "has_role": [{"name": each} for each in _NAMES],
        "can_become": [{"name": "dba"}, {"like": "d%"}, {"superuser": True}, {"name": "reader", "superuser": True}],
        "reaches": [{"name": "SELECT"}, {"like": "%ANY%", "public": True}, {"scope": "database", "database": "shop"}, {"grantable": True}],
        "owns": [{}, {"database": "crm"}],
        "name_matches": [{"like": "user\\_%"}],
        "host_matches": [{"like": "%.%"}],
        "host_count_over": [{"count": 1}],
        "member_count_over": [{"count": 1}],
        "password_older_than": [{"days": 90}],
        "not_seen_since": [{"days": 90}],
        "tag_is": [{"name": "env", "value": "prod"}],
        "server_version_at_least": [{"version": "15"}],
    }
    lists["has_privilege"] = [{"name": "SELECT"}, {"scope": "server"}, {"object": "pg_authid", "database": "shop"}]
    return lists.get(name, [{}])


def test_every_function_has_a_statement_or_a_tree_and_no_statement_is_unused() -> None:
    files = {path.stem for path in (queries.SQL_ROOT / "classification" / "functions").glob("*.sql")}
    assert files == {name for name, function in FUNCTIONS.items() if function.answer}
    assert all(bool(function.answer) != bool(function.expand) for function in FUNCTIONS.values())


@settings(max_examples=40, deadline=None)
@given(tree=TREES, hostile=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20))
def test_every_literal_is_a_parameter(tree: Node, hostile: str) -> None:
    """The text of a statement is the same whatever the literals are, and nothing hostile is in it."""
    asked = Gate("AND", (tree, Call("has_role", {"name": hostile}), Call("reaches", {"name": hostile, "database": hostile})))
    harmless = Gate("AND", (tree, Call("has_role", {"name": "x"}), Call("reaches", {"name": "x", "database": "x"})))
    statements = [compile_rules({7: parse_rule(document_of(each), "postgresql")}, "postgresql") for each in (asked, harmless)]
    assert statements[0].text == statements[1].text
    assert hostile in statements[0].parameters.values()


@settings(max_examples=40, deadline=None)
@given(tree=TREES)
def test_what_is_stored_is_what_was_written(tree: Node) -> None:
    parsed = parse_expression(document_of(tree), SIGNATURES)
    assert document_of(parsed) == document_of(tree)
    assert sum(1 for _ in nodes(parsed)) >= 1


def test_every_engine_has_the_common_capabilities() -> None:
    assert all({"SUPERUSER", "GRANT_ADMIN", "LOCKED"} <= set(capabilities_of(engine)) for engine in ENGINES)


def test_an_explanation_reads_the_facts_that_the_statements_see(store: Database) -> None:
    """What is read for one account gives every function the answer that the world has."""
    chance = random.Random(11)  # noqa: S311
    servers = [random_server(chance) for _ in range(6)]
    with store.transaction() as cursor:
        for number, server in enumerate(servers):
            write(cursor, server, f"server {number}")
    calls = [Call(name, arguments) for name in FUNCTIONS for arguments in _examples(name, chance)]
    for number, server in enumerate(servers):
        for account in server.accounts:
            read, known = read_facts(store, f"server {number}", account.name, DAY), facts_of(server, account)
            for call in calls:
                assert evaluate(call, read).value == evaluate(call, known).value, (call, read, known)
