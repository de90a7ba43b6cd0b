"""Threads write together: what each gets back, how many groups they make, and what one of them cannot do to the others."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from whalefall_pipelines.errors import SessionEndedError, StoreError, StoreUnreachableError, WhalefallError
from whalefall_pipelines.store.write_together import WriteTogether
from whalefall_pipelines_tests.at_once import at_once

THREADS = 8


class Groups:
    """Everything that was written, group by group. The first group is written slowly, so that the other threads come meanwhile."""

    def __init__(self, refuse: Callable[[Sequence[int]], None] = lambda _: None) -> None:
        self.written: list[Sequence[int]] = []
        self.attempts = 0
        self._refuse = refuse
        self._writers = threading.Semaphore()

    def write(self, numbers: Sequence[int], *, is_alone: bool) -> Sequence[int]:
        assert is_alone or self._writers.acquire(blocking=False), "two groups at once"
        try:
            self.attempts += 1
            if self.attempts == 1:
                time.sleep(0.1)
            self._refuse(numbers)
            self.written.append(numbers)
            return [2 * number for number in numbers]
        finally:
            if not is_alone:
                self._writers.release()

    def answers(self) -> list[int | WhalefallError]:
        """What each of the threads gets."""
        together = WriteTogether[int, int](self.write)

        def answer(number: int) -> int | WhalefallError:
            try:
                return together(number)
            except WhalefallError as error:
                return error

        return at_once(*(partial(answer, number) for number in range(THREADS)))


def test_each_thread_gets_its_own_result_from_few_groups() -> None:
    groups = Groups()
    assert groups.answers() == [2 * number for number in range(THREADS)]
    assert sorted(number for group in groups.written for number in group) == list(range(THREADS))
    assert len(groups.written) < THREADS


def test_what_is_refused_fails_alone_and_everything_else_is_written_once() -> None:
    def refuse(numbers: Sequence[int]) -> None:
        if 3 in numbers:
            raise StoreError("3 is odd")

    groups = Groups(refuse)
    answers = groups.answers()
    assert [str(answer) for answer in answers] == ["0", "2", "4", "3 is odd", "8", "10", "12", "14"]
    assert sorted(number for group in groups.written for number in group) == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize("error", [StoreUnreachableError("away"), SessionEndedError("cancelled")])
def test_what_ends_the_work_on_all_instances_is_not_tried_again(error: WhalefallError) -> None:
    def refuse(_: Sequence[int]) -> None:
        raise error

    groups = Groups(refuse)
    assert groups.answers() == [error] * THREADS
    assert groups.attempts < THREADS


def test_the_next_thread_can_write_after_an_interrupt() -> None:
    interrupts = [KeyboardInterrupt()]

    def write(numbers: Sequence[int], *, is_alone: bool) -> Sequence[int]:
        if interrupts:
            raise interrupts.pop()
        return numbers

    together = WriteTogether[int, int](write)
    with pytest.raises(KeyboardInterrupt):
        together(1)
    assert together(2) == 2
