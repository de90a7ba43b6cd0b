"""The watchdog on plain sockets: which it shuts, which it leaves alone, and what it leaves behind."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines_tests.at_once import at_once

LOCK_POLICY = 10.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection whose peer sends nothing."""
    ours, theirs = socket.socketpair()
    ours.settimeout(LOCK_POLICY)
    with ours, theirs:
        yield ours, theirs


def test_a_silent_connection_is_shut_at_its_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    begun = time.monotonic()
    with Watchdog().watch(pair[0].fileno(), 0.2) as watch:
        assert pair[0].recv(1) == b""
        assert 0.15 < time.monotonic() - begun < LOCK_POLICY / 2
        assert watch.reason is Reason.TIMEOUT


def test_a_block_that_ends_in_time_leaves_its_connection_open(pair: tuple[socket.socket, socket.socket]) -> None:
    with Watchdog().watch(pair[0].fileno(), 0.1) as watch:
        pass
    time.sleep(0.2)
    pair[1].sendall(b"x")
    assert pair[0].recv(1) == b"x"
    assert not watch.is_expired


def test_the_deadline_counts_from_before_the_connection_was_open(pair: tuple[socket.socket, socket.socket]) -> None:
    with Watchdog().watch(None, 0.05) as watch:
        time.sleep(0.2)
        watch.attach(pair[0].fileno())
        assert pair[0].recv(1) == b""
        assert watch.reason is Reason.TIMEOUT


def test_shut_all_breaks_what_is_open_and_what_is_being_opened(pair: tuple[socket.socket, socket.socket]) -> None:
    watchdog = Watchdog()
    with watchdog.watch(pair[0].fileno(), LOCK_POLICY) as is_open, watchdog.watch(None, LOCK_POLICY) as opening:
        watchdog.shut_all()
        assert pair[0].recv(1) == b""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(LOCK_POLICY)
            opening.attach(ours.fileno())
            assert ours.recv(1) == b""
        assert is_open.reason is opening.reason is Reason.CANCELLED


def test_the_first_cause_of_an_ended_probe_stays_its_reason() -> None:
    watchdog = Watchdog()
    with watchdog.watch(None, 0.1) as cancelled:
        watchdog.shut_all()
        with watchdog.watch(None, 0.05) as expired:
            time.sleep(0.3)
            watchdog.shut_all()
        assert (cancelled.reason, expired.reason) == (Reason.CANCELLED, Reason.TIMEOUT)


def test_shut_all_does_not_end_probes_that_begin_later(pair: tuple[socket.socket, socket.socket]) -> None:
    watchdog = Watchdog()
    watchdog.shut_all()
    with watchdog.watch(pair[0].fileno(), LOCK_POLICY) as watch:
        pair[1].sendall(b"x")
        assert pair[0].recv(1) == b"x"
        assert not watch.is_expired


def test_a_descriptor_that_was_reused_is_not_shut(pair: tuple[socket.socket, socket.socket]) -> None:
    driver, peer = socket.socketpair()
    number = driver.fileno()
    with peer, Watchdog().watch(number, 0.1) as watch:
        driver.close()
        os.dup2(pair[0].fileno(), number)  # the next socket of the process gets the driver's number
        stranger = socket.socket(fileno=number)
        with stranger:
            time.sleep(0.3)
            assert watch.is_expired
            pair[1].sendall(b"x")
            assert stranger.recv(1) == b"x"


def test_a_connection_that_its_peer_has_ended_can_be_shut(pair: tuple[socket.socket, socket.socket]) -> None:
    watchdog = Watchdog()
    with watchdog.watch(pair[0].fileno(), LOCK_POLICY):
        pair[1].close()
        pair[0].shutdown(socket.SHUT_RDWR)
        watchdog.shut_all()


def test_nothing_is_left_behind(pair: tuple[socket.socket, socket.socket]) -> None:
    watchdog = Watchdog()
    descriptors, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def watch_some() -> None:
        for _ in range(50):
            with watchdog.watch(pair[0].fileno(), LOCK_POLICY):
                pass

    at_once(*[watch_some] * 4)
    deadline = time.monotonic() + LOCK_POLICY
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= threads
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors
