"""Messages arrive at real receivers, at least once, and nothing secret is left behind by those that do not."""

import hashlib
import hmac
import io
import json
import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.alerts.channels import signature
from whalefall_pipelines.alerts.deliver import deliver, send_alerts
from whalefall_pipelines.alerts.handle import list_undelivered, retry_undelivered
from whalefall_pipelines.alerts.store.outbox import claim
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.receivers import HttpReceiver, SmtpReceiver, http_receiver, smtp_receiver
from whalefall_pipelines_tests.alerts.scene import GIB, Nights, at
from whalefall_pipelines_tests.factories import query

KEY = "SECRET-SIGNING-KEY"


class Outbox:
    """A store with one alert to tell, and the secrets of its channel in files."""

    def __init__(self, store: Database, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.nights = Nights(store, ("a", "b", "c"))
        environment = {"WHALEFALL_HOME": str(folder), "WHALEFALL_SECRET_FOLDERS": str(folder)}
        self.settings = load_settings(environment)
        self.now = at(self.nights.day)
        query(store, "update alert_rules set is_active = condition in ('headroom', 'collector_stale') returning 1")

    def channel(self, url: str, kind: str = "webhook", key: str | None = KEY) -> None:
        (self.folder / "url").write_text(url)
        (self.folder / "key").write_text(KEY)
        signing_key = f"file:{self.folder}/key" if kind == "webhook" and key else None
        self.nights.add_channel(kind=kind, url=f"file:{self.folder}/url", signing_key=signing_key)

    def queue(self) -> None:
        for _ in range(2):
            self.nights.night({name: {"app": 900 * GIB if name == "a" else GIB} for name in ("a", "b", "c")})
            self.nights.morning()
        self.now = at(self.nights.day)

    def deliver(self, minutes: int = 0, deadline: float = 60) -> tuple[dict[str, int], list[str]]:
        self.now += timedelta(minutes=minutes)
        return deliver(self.store, SecretBox(self.settings, {}), lambda: self.now, deadline_seconds=deadline)

    def rows(self) -> list[tuple[object, ...]]:
        return query(self.store, "select status, attempts from alert_outbox")


@pytest.fixture
def outbox(store: Database, tmp_path: Path) -> Outbox:
    return Outbox(store, tmp_path)


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Everything that any library logs, at every level."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setLevel(logging.NOTSET)
    root.addHandler(handler)
    root.setLevel(logging.NOTSET)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_webhook_is_signed_and_names_its_message(outbox: Outbox) -> None:
    with http_receiver(HttpReceiver()) as receiver:
        outbox.channel(receiver.url)
        outbox.queue()
        assert outbox.deliver() == ({"sent": 1, "queued": 0, "failed": 0}, [])
        assert outbox.deliver() == ({"sent": 0, "queued": 0, "failed": 0}, [])
    (headers, body), = receiver.requests  # fmt: skip
    document = json.loads(body)
    seconds, _, digest = headers["Whalefall-Signature"].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(KEY.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == document["message_id"]
    (alert,) = document["alerts"]
    assert (alert["rule"], alert["severity"], alert["subject"], alert["event"]) == ("headroom", "warning", "a", "opened")
    assert document["subject"] == "WARNING: a: 90 % full: 966.4 GB of 1.1 TB"
    assert outbox.rows() == [("sent", 1)]


def test_the_signature_is_that_of_its_instant_and_body() -> None:
    # computed with openssl: printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    assert signature(b"{}", "key", 1_700_000_000) != signature(b"{}", "key", 1_700_000_001)
    assert signature(b"{}", "key", 1_700_000_000) != signature(b"{ }", "key", 1_700_000_000)


def test_a_refused_message_is_tried_three_times_and_then_visible(outbox: Outbox) -> None:
    with http_receiver(HttpReceiver([500])) as receiver:
        outbox.channel(receiver.url)
        outbox.queue()
        assert outbox.deliver()[0] == {"sent": 0, "queued": 1, "failed": 0}
        assert outbox.deliver()[0] == {"sent": 0, "queued": 0, "failed": 0}  # it waits
        assert outbox.deliver(2)[0]["queued"] == 1
        assert outbox.deliver(11)[0]["failed"] == 1
        identifiers = {headers["Idempotency-Key"] for headers, _ in receiver.requests}
        assert (len(receiver.requests), len(identifiers)) == (3, 1)
        (undelivered,) = list_undelivered(outbox.store)
        assert undelivered.error == "it answered with the status 500"
        receiver.statuses = [200]
        assert retry_undelivered(outbox.store, outbox.now) == 1
        assert outbox.deliver()[0]["sent"] == 1


def test_a_slow_receiver_costs_its_deadline_and_no_more(outbox: Outbox) -> None:
    with http_receiver(HttpReceiver(seconds=1.5)) as receiver:
        outbox.channel(receiver.url)
        outbox.queue()
        counts, problems = outbox.deliver(deadline=0.3)
    assert counts["queued"] == 1
    assert "no answer within" in problems[0]


def test_a_crash_after_the_delivery_sends_it_once_more_with_the_same_identifier(outbox: Outbox) -> None:
    with http_receiver(HttpReceiver()) as receiver:
        outbox.channel(receiver.url)
        outbox.queue()
        # this process claims it, and ends before it writes down that it was sent
        with outbox.store.transaction() as cursor:
            claimed = claim(cursor, outbox.now, timedelta(minutes=2))
        assert outbox.deliver()[0]["sent"] == 0  # another process leaves it alone
        assert outbox.deliver(3)[0]["sent"] == 1
    assert claimed is not None
    assert [headers["Idempotency-Key"] for headers, _ in receiver.requests] == [str(claimed.message_id)]


def test_two_processes_never_send_one_message(outbox: Outbox) -> None:
    outbox.channel("http://127.0.0.1:1/")
    outbox.queue()
    with outbox.store.transaction() as first, outbox.store.transaction() as second:
        assert claim(first, outbox.now, timedelta(minutes=2)) is not None
        assert claim(second, outbox.now, timedelta(minutes=2)) is None


def test_a_mail_arrives_through_apprise(outbox: Outbox) -> None:
    with smtp_receiver(SmtpReceiver()) as receiver:
        outbox.channel(f"mailto://127.0.0.1:{receiver.port}/?to=dba@example.org&from=whalefall@example.org&mode=insecure", "apprise")
        outbox.queue()
        assert outbox.deliver(deadline=20) == ({"sent": 1, "queued": 0, "failed": 0}, [])
    (mail,) = receiver.mails
    assert "Subject: WARNING: a: 90 % full" in mail
    assert "from whalefall." in mail


@pytest.mark.parametrize("case", ["down", "refusing", "mail down", "mail refused", "no such scheme"])
def test_no_secret_of_a_failing_channel_is_left_anywhere(outbox: Outbox, logs: io.StringIO, case: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    secret = "SECRET-IN-USER:SECRET-IN-PASSWORD"
    with http_receiver(HttpReceiver([403])) as receiver, smtp_receiver(SmtpReceiver("550 SECRET-IN-ANSWER")) as mails:
        mail = "127.0.0.1:{}/?to=dba@example.org&from=whalefall@example.org&mode=insecure"
        url, kind = {
            "down": (f"http://{secret}@127.0.0.1:{port}/SECRET-IN-PATH?token=SECRET-IN-QUERY", "webhook"),
            "refusing": (receiver.url, "webhook"),
            "mail down": (f"mailto://{secret}@{mail.format(port)}", "apprise"),
            "mail refused": (f"mailto://{mail.format(mails.port)}&pass=SECRET-IN-PASSWORD", "apprise"),
            "no such scheme": (f"nosuch://{secret}@127.0.0.1/SECRET-IN-PATH", "apprise"),
        }[case]
        outbox.channel(url, kind)
        outbox.queue()
        counts, problems = outbox.deliver(deadline=20)
    assert counts["queued"] == 1
    left = [*problems, logs.getvalue(), *(str(row) for row in query(outbox.store, "select * from alert_outbox"))]
    left += [str(row) for row in query(outbox.store, "select * from alert_events")]
    assert not any("SECRET" in text for text in left)


def test_a_closed_night_is_told_to_the_outside_once(outbox: Outbox) -> None:
    with http_receiver(HttpReceiver([503, 200])) as receiver:
        (outbox.folder / "beat").write_text(receiver.url)
        own = {"WHALEFALL_HOME": str(outbox.folder), "WHALEFALL_SECRET_FOLDERS": str(outbox.folder)}
        settings = load_settings({**own, "WHALEFALL_HEARTBEAT_URL": f"file:{outbox.folder}/beat"})
        outbox.nights.night({name: {"app": GIB} for name in ("a", "b", "c")})
        now = at(outbox.nights.day)
        first = send_alerts(outbox.store, settings, lambda: now)
        assert first.problems == (f"Heartbeat of {outbox.nights.day}: the heartbeat URL answered with the status 503.",)
        for _ in range(3):
            assert send_alerts(outbox.store, settings, lambda: now).problems == ()
        assert len(receiver.requests) == 2
        # no night, no heartbeat: that is what the outside notices
        send_alerts(outbox.store, settings, lambda: now + timedelta(days=2))
        assert len(receiver.requests) == 2
