"""What a person may do with rules, channels and windows: list them, import a file, switch a rule or a channel off, test a channel."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from whalefall_pipelines.alerts.deliver import DEADLINE_SECONDS, send, within
from whalefall_pipelines.alerts.model import Channel, RuleText
from whalefall_pipelines.alerts.rule_files import AlertFile, parse_alert_file
from whalefall_pipelines.alerts.store import rules as store
from whalefall_pipelines.alerts.store.outbox import QueuedMessage
from whalefall_pipelines.alerts.store.rules import StoredRule
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.read_text_file import read_text_file
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file has, by kind."""

    rules: int
    channels: int
    blackouts: int


def list_rules(database: Database) -> tuple[StoredRule, ...]:
    """Every rule."""
    with database.transaction() as cursor:
        return store.list_rules(cursor)


def list_channels(database: Database) -> tuple[Channel, ...]:
    """The channels that are in use. URLs and keys are references."""
    with database.transaction() as cursor:
        return store.list_channels(cursor)


def export_file(database: Database) -> AlertFile:
    """Everything as a file that `import_file` reads."""
    with database.transaction() as cursor:
        rules = tuple(RuleText(stored.rule, stored.examples) for stored in store.list_rules(cursor))
        return AlertFile(rules, store.list_channels(cursor), store.list_blackouts(cursor))


def import_file(database: Database, settings: Settings, path: Path, person: str) -> Saved:
    """Save the rules, channels and windows of a file: those of a known name are changed, the others added. What it has not, stays.

    Raises:
        InputError: the file is not valid, or a reference is not allowed; nothing is saved.
    """
    file = parse_alert_file(read_text_file(path), str(path))
    secrets = SecretBox(settings)
    for channel in file.channels:
        for reference in filter(None, (channel.url, channel.signing_key)):
            if refusal := secrets.refusal(reference):
                raise InputError(f"{path}, channel {channel.channel_name!r}: {refusal}.")
    with database.transaction() as cursor:
        store.save(cursor, file.rules, file.channels, file.blackouts, person)
    return Saved(len(file.rules), len(file.channels), len(file.blackouts))


def switch_rule(database: Database, rule_name: str, person: str, *, is_active: bool) -> None:
    """Switch a rule on or off. The alerts of a rule that is off clear with the next evaluation.

    Raises:
        NotFoundError: there is no such rule.
    """
    with database.transaction() as cursor:
        if not store.switch_rule(cursor, rule_name, person, is_active=is_active):
            raise NotFoundError(f"There is no rule {rule_name!r}; `whalefall alerts rules list` shows them.")


def remove_channel(database: Database, channel_name: str) -> None:
    """Send nothing to a channel any more.

    Raises:
        NotFoundError: there is no such channel.
    """
    with database.transaction() as cursor:
        if not store.disable_channel(cursor, channel_name):
            raise NotFoundError(f"There is no channel {channel_name!r}; `whalefall alerts rules show` shows them.")


def test_channel(database: Database, settings: Settings, channel_name: str, clock: Callable[[], datetime]) -> None:
    """Send a test message at once, past the outbox.

    Raises:
        NotFoundError: there is no such channel.
        DeliveryError: it was not delivered.
    """
    channel = next((channel for channel in list_channels(database) if channel.channel_name == channel_name), None)
    if channel is None:
        raise NotFoundError(f"There is no channel {channel_name!r}; `whalefall alerts rules show` shows them.")
    text = f"This is a test of the channel {channel_name}, sent at {clock():%Y-%m-%d %H:%M} by a person. Nothing is wrong."
    message = QueuedMessage(
        uuid4(), channel_name, channel.kind, channel.url, channel.signing_key, "TEST of whalefall", text, None, {"kind": "test"}, 1
    )
    secrets = SecretBox(settings)
    within(DEADLINE_SECONDS, lambda: send(message, secrets))
