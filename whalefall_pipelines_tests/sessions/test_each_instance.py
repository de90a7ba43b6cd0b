"""The pool of threads: who waits for whom, what a failure costs the others, and how it ends."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from whalefall_pipelines.domain.instances import Engine, Instance
from whalefall_pipelines.sessions.each_instance import each_instance
from whalefall_pipelines_tests.cli.trees import eventually

SECONDS = 20


def servers(number: int) -> Sequence[Instance]:
    return [Instance(key, f"server-{key}", Engine.POSTGRESQL, "127.0.0.1", 5432, "monitor") for key in range(number)]


def no_interrupt() -> None:
    raise AssertionError


def test_servers_at_once_are_as_many_as_allowed() -> None:
    lock, at_work, most = threading.Lock(), 0, 0
    full = threading.Barrier(3)

    def work(instance: Instance) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        full.wait(SECONDS)
        with lock:
            at_work -= 1
        return instance.instance_id

    outcomes = dict(each_instance(servers(12), work, parallel=3, interrupt=no_interrupt))
    assert {instance.instance_id: outcome for instance, outcome in outcomes.items()} == {key: key for key in range(12)}
    assert most == 3


def test_an_exception_is_the_outcome_of_its_server_alone() -> None:
    def work(instance: Instance) -> int:
        if instance.instance_id == 1:
            raise ValueError("broken")
        return instance.instance_id

    outcomes = {instance.instance_id: outcome for instance, outcome in each_instance(servers(3), work, parallel=2, interrupt=no_interrupt)}
    assert isinstance(outcomes.pop(1), ValueError)
    assert outcomes == {0: 0, 2: 2}


def test_an_end_from_outside_interrupts_whatever_waits() -> None:
    interrupted, waiting = threading.Event(), threading.Event()

    def work(instance: Instance) -> bool:
        waiting.set()
        return interrupted.wait(SECONDS)

    def check() -> None:
        if waiting.is_set():
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(each_instance(servers(5), work, parallel=2, interrupt=interrupted.set, check=check))
    assert interrupted.is_set()
    assert eventually(lambda: threading.active_count() <= before)


def test_what_another_program_claimed_is_skipped() -> None:
    def claim(instances: Sequence[Instance]) -> Sequence[Instance]:
        return [instance for instance in instances if instance.instance_id % 2]

    work: Callable[[Instance], int] = lambda instance: instance.instance_id  # noqa: E731
    outcomes = dict(each_instance(servers(7), work, parallel=2, interrupt=no_interrupt, claim=claim))
    assert sorted(outcomes.values(), key=str) == [1, 3, 5]


def test_skipping_a_fleet_takes_no_time() -> None:
    begun = time.monotonic()
    assert list(each_instance(servers(2000), lambda _: None, parallel=2, interrupt=no_interrupt, claim=lambda _: ())) == []
    assert time.monotonic() - begun < SECONDS
