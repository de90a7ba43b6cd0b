"""Delivers what is in the outbox: at least once, each message at most three times, none twice at a time.

A message is claimed, sent, and then written down as sent, in two transactions: a crash in between sends it again with the same identifier.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from whalefall_pipelines.alerts.channels import DeliveryError, Letter, request_heartbeat, send_by_apprise, send_webhook
from whalefall_pipelines.alerts.evaluate import Evaluated, evaluate
from whalefall_pipelines.alerts.model import Channel
from whalefall_pipelines.alerts.report_week import send_last_week
from whalefall_pipelines.alerts.settings import AlertSettings
from whalefall_pipelines.alerts.store import outbox
from whalefall_pipelines.alerts.store.outbox import QueuedMessage
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database

MOST_ATTEMPTS = 3
# How long a process may take for one message before another one tries it.
CLAIM = timedelta(minutes=2)
# The pauses after the first and the second attempt.
PAUSES = (timedelta(minutes=1), timedelta(minutes=10))
# How long one message may take, also if its receiver answers byte by byte.
DEADLINE_SECONDS = 30.0
# A tick of a sensor ends within minutes, whatever the receivers do.
BUDGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a call did: what was evaluated, and how many messages were sent, are to be tried again, and were given up."""

    evaluated: Evaluated
    sent: int
    deferred: int
    failed: int
    problems: tuple[str, ...] = ()


def send_alerts(database: Database, settings: Settings, clock: Callable[[], datetime]) -> Delivered:
    """Evaluate what is due, deliver what is queued, and tell the outside that the night is over."""
    own = settings.of(AlertSettings)
    evaluated = evaluate(database, own, clock())
    send_last_week(database, clock())
    counts, problems = deliver(database, SecretBox(settings), clock)
    if problem := _send_heartbeat(database, SecretBox(settings), own, clock()):
        problems.append(problem)
    return Delivered(evaluated, counts["sent"], counts["queued"], counts["failed"], tuple(problems))


def deliver(
    database: Database, secrets: SecretBox, clock: Callable[[], datetime], *, deadline_seconds: float = DEADLINE_SECONDS
) -> tuple[dict[str, int], list[str]]:
    """Deliver queued messages until none is due or the time is over. Returns their numbers by status, and what went wrong."""
    counts, problems, until = {"sent": 0, "queued": 0, "failed": 0}, list[str](), time.monotonic() + BUDGET_SECONDS
    while time.monotonic() < until:
        with database.transaction() as cursor:
            message = outbox.claim(cursor, clock(), CLAIM)
        if message is None:
            break
        try:
            within(deadline_seconds, partial(send, message, secrets))
        except DeliveryError as error:
            problem = f"Message {message.message_id} to the channel {message.channel_name!r}: {error}."
            problems.append(problem)
            status = "failed" if message.attempts >= MOST_ATTEMPTS else "queued"
            pause = PAUSES[min(message.attempts, len(PAUSES)) - 1]
            with database.transaction() as cursor:
                outbox.defer(cursor, message, status, clock() + pause, str(error))
        else:
            status = "sent"
            with database.transaction() as cursor:
                outbox.mark_sent(cursor, message, clock())
        counts[status] += 1
    return counts, problems


def within(seconds: float, send_it: Callable[[], None]) -> None:
    """Send in a thread that is left alone after a while: no library ends a wait in which a byte comes now and then.

    Raises:
        DeliveryError: it was not delivered in time.
    """
    with_result: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            send_it()
        except DeliveryError as error:
            with_result.put(error)
        except Exception as error:  # noqa: BLE001 - the one place around one message; what a library says may have the URL in it
            with_result.put(DeliveryError(f"it failed ({type(error).__name__})"))
        else:
            with_result.put(None)

    threading.Thread(target=run, daemon=True).start()
    try:
        error = with_result.get(timeout=seconds)
    except queue.Empty:
        raise DeliveryError(f"no answer within {seconds:.0f} seconds") from None
    if error is not None:
        raise error


def send(message: QueuedMessage, secrets: SecretBox) -> None:
    """Send one message now.

    Raises:
        DeliveryError: it was not delivered.
    """
    letter = Letter(str(message.message_id), message.subject, message.body, message.document, message.html)
    try:
        url = secrets.resolve(message.url, f"URL of the channel {message.channel_name!r}")
        key = None
        if message.signing_key:
            key = secrets.resolve(message.signing_key, f"signing key of the channel {message.channel_name!r}")
    except InputError as error:
        raise DeliveryError(str(error).removesuffix(".")) from None
    if message.kind == "webhook":
        send_webhook(url.strip(), key and key.strip(), letter)
    else:
        send_by_apprise(url.strip(), letter)


def unreadable_channels(channels: Sequence[Channel], settings: Settings) -> tuple[str, ...]:
    """What cannot be read of channels here, one sentence for each."""
    secrets, sentences = SecretBox(settings), list[str]()
    for channel in channels:
        for reference, what in ((channel.url, "URL"), (channel.signing_key, "signing key")):
            try:
                if reference:
                    secrets.resolve(reference, f"{what} of the channel {channel.channel_name!r}")
            except InputError as error:
                sentences.append(str(error))
    return tuple(sentences)


def _send_heartbeat(database: Database, secrets: SecretBox, settings: AlertSettings, now: datetime) -> str | None:
    """Request the heartbeat URL for the newest evaluated day, once; what failed is tried again by the next call."""
    if settings.heartbeat_url is None:
        return None
    with database.transaction() as cursor:
        day = outbox.find_unsent_heartbeat(cursor)
    if day is None:
        return None
    try:
        request_heartbeat(secrets.resolve(settings.heartbeat_url, "heartbeat URL (WHALEFALL_HEARTBEAT_URL)").strip())
    except (DeliveryError, InputError) as error:
        return f"Heartbeat of {day}: {str(error).removesuffix('.')}."
    with database.transaction() as cursor:
        outbox.mark_heartbeat(cursor, day, now)
    return None
