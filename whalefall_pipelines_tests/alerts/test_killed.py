"""A process that is killed while it evaluates or delivers loses no message. Only a message that was on its way is sent twice."""

import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.alerts.deliver import send_alerts
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.receivers import HttpReceiver, http_receiver
from whalefall_pipelines_tests.alerts.scene import GIB, Nights, at
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.killed import kill_at

pytestmark = pytest.mark.process
_CHILD = """
import sys
from datetime import datetime
from whalefall_pipelines.alerts.deliver import send_alerts
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
url, folder, now = sys.argv[1:]
settings = load_settings({"WHALEFALL_HOME": folder, "WHALEFALL_SECRET_FOLDERS": folder})
send_alerts(Database(parse_url(url), TIMEZONE), settings, lambda: datetime.fromisoformat(now))
"""
# What the steps read or write, in their order: rules, sizes, alerts and their history, messages.
STEPS = ("alert_rules", "database_size_stats", "alerts", "alert_events", "alert_notices", "alert_outbox")


def night_that_opens_an_alert(store: Database, folder: Path, url: str) -> datetime:
    """A fleet whose server `a` is nearly full on a second night. Returns the morning after it."""
    nights = Nights(store, ("a", "b", "c"))
    query(store, "update alert_rules set is_active = condition = 'headroom' returning 1")
    (folder / "url").write_text(url)
    nights.add_channel(url=f"file:{folder}/url")
    nights.night({"a": {"app": 900 * GIB}, "b": {"app": GIB}, "c": {"app": GIB}})
    nights.morning()
    nights.night({"a": {"app": 900 * GIB}, "b": {"app": GIB}, "c": {"app": GIB}})
    return at(nights.day)


def send(store: Database, folder: Path, now: datetime) -> None:
    settings = load_settings({"WHALEFALL_HOME": str(folder), "WHALEFALL_SECRET_FOLDERS": str(folder)})
    send_alerts(store, settings, lambda: now)


@pytest.mark.parametrize("table", STEPS)
def test_killed_at_a_step_the_alert_is_sent_once_by_the_next_process(store: Database, tmp_path: Path, table: str) -> None:
    with http_receiver(HttpReceiver()) as receiver:
        morning = night_that_opens_an_alert(store, tmp_path, receiver.url)
        kill_at(store, table, _CHILD, str(tmp_path), morning.isoformat())
        assert receiver.requests == []
        for minutes in (3, 6):
            send(store, tmp_path, morning + timedelta(minutes=minutes))
        assert len(receiver.requests) == 1
    assert query(store, "select status, attempts from alert_outbox") == [("sent", 1)]
    assert query(store, "select event from alert_events order by event_id") == [("pending",), ("opened",)]


def test_killed_while_a_message_is_on_its_way_it_is_sent_again_with_the_same_identifier(store: Database, tmp_path: Path) -> None:
    with http_receiver(HttpReceiver(seconds=30)) as receiver:
        morning = night_that_opens_an_alert(store, tmp_path, receiver.url)
        child = subprocess.Popen([sys.executable, "-c", _CHILD, libpq_url(store.url), str(tmp_path), morning.isoformat()])
        until = time.monotonic() + 60
        while not receiver.requests:
            assert child.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        child.kill()
        child.wait()
        receiver.seconds = 0
        for minutes in (1, 3, 6):
            send(store, tmp_path, morning + timedelta(minutes=minutes))
        identifiers = [headers["Idempotency-Key"] for headers, _ in receiver.requests]
    assert len(identifiers) == 2
    assert len(set(identifiers)) == 1
    assert query(store, "select status, attempts from alert_outbox") == [("sent", 2)]
