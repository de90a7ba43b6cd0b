"""Files of rules, channels and windows in YAML. What would never be told is refused with its reason; the examples of rules are run.

`configure.py` saves what a file has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import yaml

from whalefall_pipelines.alerts.catalogue import condition_of
from whalefall_pipelines.alerts.channels import check_reference
from whalefall_pipelines.alerts.model import Blackout, Channel, Rule, RuleText, Severity
from whalefall_pipelines.alerts.windows import MOST_MINUTES, parse_cron
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.marked_yaml import has_aliases, read_yaml

_Parsed = TypeVar("_Parsed")
_MOST_LETTERS = 1_000_000
_PARTS = frozenset({"rules", "channels", "blackouts"})
_RULE = frozenset({"name", "condition", "tags", "thresholds", "active", "examples"})
_CHANNEL = frozenset({"name", "kind", "url", "signing_key", "least_severity", "tags", "most_per_hour", "reports"})
_BLACKOUT = frozenset({"name", "cron", "minutes", "tags", "passes_critical"})
_NOT_MET = "none"


@dataclass(frozen=True, slots=True)
class AlertFile:
    """What a file has."""

    rules: tuple[RuleText, ...] = ()
    channels: tuple[Channel, ...] = ()
    blackouts: tuple[Blackout, ...] = ()


def parse_alert_file(text: str, source: str) -> AlertFile:
    """The rules, channels and windows of a YAML file, checked, with their examples run.

    Raises:
        InputError: something is not valid; the message names the entry.
    """
    if len(text) > _MOST_LETTERS:
        raise InputError(f"{source} has more than {_MOST_LETTERS} letters.")
    read_yaml(text, source)
    if has_aliases(text):
        raise InputError(f"{source}: a file of alerts has no anchors and aliases.")
    document = yaml.safe_load(text)
    if not isinstance(document, Mapping) or not document or not set(cast("Mapping[str, object]", document)) <= _PARTS:
        raise InputError(f"{source}: a file of alerts has {', '.join(sorted(_PARTS))}, and nothing else.")
    parts = cast("Mapping[str, object]", document)
    return AlertFile(
        _each(parts.get("rules"), source, "rule", _rule),
        _each(parts.get("channels"), source, "channel", _channel),
        _each(parts.get("blackouts"), source, "blackout", _blackout),
    )


def write_alert_file(file: AlertFile) -> str:
    """Rules, channels and windows as the text of a file that `parse_alert_file` reads."""
    document = {
        "rules": [_without_defaults(_rule_entry(rule)) for rule in file.rules],
        "channels": [_without_defaults(_channel_entry(channel)) for channel in file.channels],
        "blackouts": [_without_defaults(_blackout_entry(blackout)) for blackout in file.blackouts],
    }
    return yaml.safe_dump({name: part for name, part in document.items() if part}, sort_keys=False, allow_unicode=True, width=120)


def run_examples(rule: Rule, examples: Sequence[Mapping[str, Any]]) -> None:
    """Compare the severities of examples with the expected ones.

    Raises:
        InputError: an example has another severity than it expects.
    """
    condition = condition_of(rule.condition)
    expected_words = [*Severity, _NOT_MET]
    for number, example in enumerate(examples, 1):
        expected = example.get("expect")
        if expected not in expected_words:
            raise InputError(f"example {number} expects {', '.join(expected_words)}, not {expected!r:.30}")
        figures = {name: value for name, value in example.items() if name != "expect"}
        if not all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in figures.values()):
            raise InputError(f"the figures of example {number} are numbers")
        severity = condition.severity_of(figures, condition.values(rule.thresholds)) or _NOT_MET
        if severity != expected:
            raise InputError(f"example {number} is {severity}, and expects {expected}")


def _each(document: object, source: str, what: str, parse: Callable[[str, Mapping[str, Any]], _Parsed]) -> tuple[_Parsed, ...]:
    if document is None:
        return ()
    if not isinstance(document, list):
        raise InputError(f"{source}: the {what} entries are a list.")
    parsed: dict[str, _Parsed] = {}
    for entry in cast("list[object]", document):
        name = cast("Mapping[str, object]", entry).get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            raise InputError(f"{source}: a {what} has no name.")
        if name in parsed:
            raise InputError(f"{source}: there are two entries of the {what} {name!r}.")
        try:
            parsed[name] = parse(name, cast("Mapping[str, Any]", entry))
        except InputError as error:
            raise InputError(f"{source}, {what} {name!r}: {str(error).removesuffix('.')}.") from error
    return tuple(parsed.values())


def _rule(name: str, entry: Mapping[str, Any]) -> RuleText:
    _refuse_others(entry, _RULE, ("condition",))
    condition = condition_of(str(entry["condition"]))
    tags = _tags(entry)
    if tags and not condition.has_instances:
        raise InputError(f"{condition.name} is about whalefall itself, so that its rule has no tags")
    thresholds = cast("object", entry.get("thresholds") or {})
    if not isinstance(thresholds, Mapping):
        raise InputError("thresholds are numbers by name")
    known = condition.all_thresholds
    for key, value in cast("Mapping[str, object]", thresholds).items():
        if key not in known:
            raise InputError(f"{condition.name} has no threshold {key!r:.60}; it has {', '.join(known)}")
        if not isinstance(value, int) or isinstance(value, bool) or not known[key].least <= value <= known[key].most:
            raise InputError(f"{key} is a whole number from {known[key].least} to {known[key].most}")
    is_active = entry.get("active", True)
    if not isinstance(is_active, bool):
        raise InputError("active is true or false")
    examples = cast("object", entry.get("examples") or [])
    if not isinstance(examples, list) or not all(isinstance(example, Mapping) for example in cast("list[object]", examples)):
        raise InputError("examples are figures with the severity that they expect")
    rule = Rule(0, name, condition.name, tags, dict(cast("Mapping[str, int]", thresholds)), is_active)
    run_examples(rule, cast("list[Mapping[str, Any]]", examples))
    return RuleText(rule, tuple(cast("list[Mapping[str, Any]]", examples)))


def _channel(name: str, entry: Mapping[str, Any]) -> Channel:
    _refuse_others(entry, _CHANNEL, ("kind", "url"))
    kind, severity, most = entry["kind"], entry.get("least_severity", Severity.INFO), entry.get("most_per_hour", 20)
    if kind not in {"apprise", "webhook"}:
        raise InputError("the kind is apprise or webhook")
    if severity not in list(Severity):
        raise InputError(f"least_severity is {', '.join(Severity)}")
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= 1000:
        raise InputError("most_per_hour is a number from 1 to 1000")
    key = entry.get("signing_key")
    if key is not None and kind != "webhook":
        raise InputError("only a webhook is signed")
    url = check_reference(str(entry["url"]), "URL")
    signing_key = None if key is None else check_reference(str(key), "signing key")
    has_reports = entry.get("reports", True) is not False
    return Channel(0, name, str(kind), url, signing_key, Severity(severity), _tags(entry), most, has_reports)


def _blackout(name: str, entry: Mapping[str, Any]) -> Blackout:
    _refuse_others(entry, _BLACKOUT, ("cron", "minutes"))
    minutes = entry["minutes"]
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= MOST_MINUTES:
        raise InputError(f"minutes are a number from 1 to {MOST_MINUTES}")
    parse_cron(str(entry["cron"]))
    return Blackout(name, str(entry["cron"]), minutes, _tags(entry), entry.get("passes_critical", False) is True)


def _tags(entry: Mapping[str, Any]) -> Mapping[str, str]:
    tags = cast("object", entry.get("tags") or {})
    if not isinstance(tags, Mapping) or not all(isinstance(value, str) for value in cast("Mapping[object, object]", tags).values()):
        raise InputError("tags are texts by name, such as {environment: production}")
    return dict(cast("Mapping[str, str]", tags))


def _refuse_others(entry: Mapping[str, object], known: frozenset[str], required: Sequence[str]) -> None:
    others = sorted(str(key) for key in entry if key not in known)
    if others:
        raise InputError(f"there is no {', '.join(others)[:100]}; there are {', '.join(sorted(known))}")
    missing = [name for name in required if name not in entry]
    if missing:
        raise InputError(f"{', '.join(missing)} is missing")


def _rule_entry(text: RuleText) -> dict[str, object]:
    rule = text.rule
    entry: dict[str, object] = {"name": rule.rule_name, "condition": rule.condition, "tags": dict(rule.tags)}
    entry |= {"thresholds": dict(rule.thresholds), "active": rule.is_active, "examples": [dict(example) for example in text.examples]}
    return entry


def _channel_entry(channel: Channel) -> dict[str, object]:
    return {
        "name": channel.channel_name, "kind": channel.kind, "url": channel.url, "signing_key": channel.signing_key,
        "least_severity": str(channel.least_severity), "tags": dict(channel.tags), "most_per_hour": channel.most_per_hour,
        "reports": channel.has_reports,
    }  # fmt: skip


def _blackout_entry(blackout: Blackout) -> dict[str, object]:
    return {
        "name": blackout.blackout_name, "cron": blackout.cron, "minutes": blackout.minutes, "tags": dict(blackout.tags),
        "passes_critical": blackout.passes_critical,
    }  # fmt: skip


def _without_defaults(entry: dict[str, object]) -> dict[str, object]:
    defaults = {"active": True, "reports": True, "passes_critical": False, "least_severity": "info", "most_per_hour": 20}
    return {name: value for name, value in entry.items() if value not in ({}, [], None) and defaults.get(name) != value}
