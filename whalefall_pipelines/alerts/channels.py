"""Sends one message through one channel: a signed webhook, or whatever apprise knows. Nothing secret is in an error or a log.

URLs of channels have tokens and passwords in them, so that what a library says about a URL is never repeated: an error names the channel
and what happened. `deliver.py` decides what is sent.
"""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast
from urllib.parse import urlsplit

import httpx

from whalefall_pipelines.errors import InputError, WhalefallError

TIMEOUT_SECONDS = 10.0
ID_HEADER, SIGNATURE_HEADER = "Idempotency-Key", "Whalefall-Signature"
# The loggers of libraries that repeat URLs; below them are those of their modules.
_TALKATIVE = ("apprise", "httpx", "httpcore", "urllib3", "requests", "asyncio")
_INSTALL = "install whalefall-pipelines[alerts], or use a channel of the kind webhook"


class DeliveryError(WhalefallError):
    """A message was not delivered. Whether it arrived all the same is unknown; the receiver knows it by its identifier."""

    code = "DELIVERY_FAILED"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. `message_id` is the same in every attempt."""

    message_id: str
    subject: str
    body: str
    document: Mapping[str, object]
    html: str | None = None


class _Notifier(Protocol):
    def add(self, servers: str) -> bool: ...
    def notify(self, *, body: str, title: str, body_format: str) -> bool | None: ...


def send_webhook(url: str, signing_key: str | None, letter: Letter, *, now: float | None = None) -> None:
    """POST a message as JSON. With a key it is signed: `Whalefall-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`.

    Raises:
        DeliveryError: it was refused, or not answered in time.
    """
    content = json.dumps({"subject": letter.subject, "text": letter.body, **letter.document, "message_id": letter.message_id}).encode()
    headers = {"Content-Type": "application/json", ID_HEADER: letter.message_id}
    if signing_key:
        headers[SIGNATURE_HEADER] = signature(content, signing_key, int(time.time() if now is None else now))
    try:
        # only the status is read: the body of an answer may never end
        with _silence(), _client() as client, client.stream("POST", url, content=content, headers=headers) as answer:
            status = answer.status_code
    except httpx.InvalidURL:
        raise DeliveryError("its URL is not valid") from None
    except httpx.TimeoutException:
        raise DeliveryError(f"no answer within {TIMEOUT_SECONDS:.0f} seconds") from None
    except (httpx.HTTPError, UnicodeError, ValueError) as error:
        raise DeliveryError(f"no connection ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise DeliveryError(f"it answered with the status {status}")


def signature(content: bytes, signing_key: str, seconds: int) -> str:
    """The signature of a body that was sent at an instant (seconds since 1970)."""
    digest = hmac.new(signing_key.encode(), f"{seconds}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def send_by_apprise(url: str, letter: Letter) -> None:
    """Send a message by mail, Slack, Teams or whatever the scheme of the URL says. The identifier is the last line.

    Raises:
        DeliveryError: apprise is not installed, does not know the URL, or could not deliver.
    """
    scheme = urlsplit(url).scheme
    try:
        apprise = import_module("apprise")
    except ImportError:
        raise DeliveryError(f"apprise is not installed; {_INSTALL}") from None
    with _silence():
        notifier = cast("_Notifier", apprise.Apprise())
        if not notifier.add(url):
            raise DeliveryError("apprise does not know its URL")
        if letter.html is None:
            is_sent = notifier.notify(title=letter.subject, body=f"{letter.body}\n\n{_last_line(letter)}", body_format="text")
        else:
            is_sent = notifier.notify(title=letter.subject, body=f"{letter.html}<p>{_last_line(letter)}</p>", body_format="html")
    if not is_sent:
        raise DeliveryError(f"apprise could not deliver it ({scheme[:20]})")


def request_heartbeat(url: str) -> None:
    """GET a URL that something outside watches.

    Raises:
        DeliveryError: it was refused, or not answered in time.
    """
    try:
        with _silence(), _client() as client, client.stream("GET", url) as answer:
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise DeliveryError(f"the heartbeat URL was not reached ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise DeliveryError(f"the heartbeat URL answered with the status {status}")


def check_reference(reference: str, what: str) -> str:
    """A reference to a secret.

    Raises:
        InputError: it is none. The text is not repeated, because it may be the secret itself.
    """
    if not reference.startswith(("env:", "file:/")) or len(reference) > 1000:
        raise InputError(f"the {what} is env:NAME or file:/PATH; a URL or a key itself is never stored")
    return reference


def _client() -> httpx.Client:
    """A client that follows no redirect: a signed message goes where the channel says, and nowhere else."""
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)


def _last_line(letter: Letter) -> str:
    return f"Message {letter.message_id} from whalefall."


@contextmanager
def _silence() -> Generator[None]:
    """Let no library log a URL, whatever level the process logs at."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    loggers += [
        logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.startswith(tuple(f"{top}." for top in _TALKATIVE))
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
