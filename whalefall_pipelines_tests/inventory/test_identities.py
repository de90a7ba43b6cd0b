"""When two instances are one server: compared with a model that knows the server process and machine behind each."""

import random
from dataclasses import dataclass
from itertools import combinations, pairwise

import pytest

from whalefall_pipelines.domain.instances import Engine, ServerIdentity
from whalefall_pipelines.inventory.identities import (
    Answers,
    Comparison,
    Server,
    compare_with_before,
    is_at_same_address,
    is_same_server,
    shared_keys,
)
from whalefall_pipelines.inventory.identity_conflicts import check_servers
from whalefall_pipelines.inventory.registration import Action, Change, CredentialEntry, InstanceEntry, Plan, PlannedInstance

LOGIN = CredentialEntry("login", "u", "env:X")


@dataclass(frozen=True)
class Process:
    """A running server: its cluster (a primary with its replicas), whether it is a replica, and its start time."""

    cluster: int
    number: int
    is_replica: bool

    def seen_as(self, name: str, host: str, *, is_told: bool = True) -> Server:
        identity = ServerIdentity(f"cluster {self.cluster}", self.is_replica, f"start {self.number}") if is_told else None
        return Server(name, Engine.POSTGRESQL, frozenset({host}), 5432, identity=identity)


def test_servers_that_tell_who_they_are_are_one_exactly_if_they_are_one_process() -> None:
    dice = random.Random(14)  # noqa: S311 - a test
    processes = [Process(number // 3, number, is_replica=number % 3 > 0) for number in range(30)]
    for _ in range(500):
        pair = [dice.choice(processes) for _ in range(2)]
        first, second = (process.seen_as(str(number), f"way {dice.random()}") for number, process in enumerate(pair))
        assert is_same_server(first, second) is (pair[0] is pair[1])
        assert is_same_server(first, second) is is_same_server(second, first)


def test_servers_that_do_not_tell_are_one_exactly_if_they_are_at_one_address() -> None:
    for host, is_told in (("a", True), ("a", False), ("b", True), ("b", False)):
        quiet = Process(1, 1, is_replica=False).seen_as("quiet", "a", is_told=False)
        other = Process(2, 2, is_replica=False).seen_as("other", host, is_told=is_told)
        assert is_same_server(quiet, other) is (host == "a")


def test_whatever_is_one_server_has_a_key_in_common() -> None:
    dice = random.Random(13)  # noqa: S311 - a test
    servers = [
        Server(
            str(number),
            dice.choice([Engine.ORACLE, Engine.MYSQL]),
            frozenset(dice.choices("abc", k=2)),
            dice.choice([1, 2]),
            dice.choice([None, "pdb"]),
            dice.choice([None, ServerIdentity(dice.choice("xy"), dice.random() < 0.3, dice.choice([None, "s", "t"]))]),
            is_replica=dice.random() < 0.2,
        )
        for number in range(120)
    ]
    pairs = [pair for pair in combinations(servers, 2) if is_same_server(*pair)]
    assert len(pairs) > 100
    for first, second in pairs:
        assert shared_keys(first) & shared_keys(second)
        assert [first.is_replica, second.is_replica] == [False, False]
        assert first.engine is second.engine


def test_a_restart_at_the_same_address_is_not_another_server() -> None:
    before, after = (Process(1, start, is_replica=False).seen_as(str(start), "a") for start in (1, 2))
    assert is_same_server(before, after)


def test_services_of_an_oracle_are_servers_of_their_own() -> None:
    first, second = (Server(name, Engine.ORACLE, frozenset({"a"}), 1521, service=name) for name in ("one", "two"))
    assert not is_at_same_address(first, second)


@pytest.mark.parametrize(
    ("before", "now", "is_asked", "expected"),
    [
        (("x", "a"), ("x", "b"), True, Comparison.SAME),
        (("x", "a"), ("y", "a"), True, Comparison.ANOTHER),
        (("x", "a"), (None, "b"), True, Comparison.UNKNOWN),
        (("x", "a"), (None, "b"), False, Comparison.SAME),  # its next probe compares
        ((None, "a"), (None, "a"), False, Comparison.SAME),
        ((None, "a"), (None, "b"), False, Comparison.UNKNOWN),
        ((None, "a"), ("x", "b"), True, Comparison.UNKNOWN),
    ],
)
def test_what_an_instance_was_is_compared_with_what_it_is_to_be(
    before: tuple[str | None, str], now: tuple[str | None, str], is_asked: bool, expected: Comparison
) -> None:
    servers = [
        Server("n", Engine.MYSQL, frozenset({host}), 3306, identity=ServerIdentity(identity) if identity else None)
        for identity, host in (before, now)
    ]
    assert compare_with_before(servers[0], servers[1], is_asked=is_asked) is expected


def planned(name: str, host: str, action: Action = Action.ADD, *changes: Change) -> PlannedInstance:
    return PlannedInstance(InstanceEntry(name, Engine.POSTGRESQL, host, 5432, "login", line=ord(name)), action, changes)


def test_of_many_new_names_of_one_server_all_but_the_first_are_problems() -> None:
    names = "abcdef"
    answers = Answers(identities={name: ServerIdentity("x", started_at="s") for name in names})
    checked = check_servers(Plan((), tuple(planned(name, name) for name in names), 0), (), answers)
    assert [problem.line for problem in checked.problems] == [ord(name) for name in names[1:]]
    assert all(earlier.line < later.line for earlier, later in pairwise(checked.problems))


def test_an_answer_to_no_question_is_a_problem() -> None:
    checked = check_servers(Plan((), (planned("a", "a"),), 0), (), Answers(moved=frozenset({"a", "x"})))
    assert [problem.sentence.split("'")[1] for problem in checked.problems] == ["a", "x"]
