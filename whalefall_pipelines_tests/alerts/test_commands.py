"""`whalefall alerts` as a person uses it, and what files are refused."""

import json
from pathlib import Path

import pytest

from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.rule_files import parse_alert_file, write_alert_file
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.receivers import HttpReceiver, http_receiver
from whalefall_pipelines_tests.alerts.scene import GIB, Nights
from whalefall_pipelines_tests.cli.commands import refused, succeed
from whalefall_pipelines_tests.factories import query

FILE = """
rules:
  - name: headroom of tests
    condition: headroom
    tags: {environment: test}
    thresholds: {warning_percent: 95, critical_percent: 99}
    examples:
      - {used_bytes: 94, limit_bytes: 100, expect: none}
      - {used_bytes: 95, limit_bytes: 100, expect: warning}
channels:
  - name: ops
    kind: webhook
    url: file:FOLDER/url
    least_severity: warning
blackouts:
  - {name: backups, cron: "0 22 * * 6", minutes: 120, passes_critical: true}
"""


def test_a_person_sees_acknowledges_mutes_and_sends(store: Database, store_environment: dict[str, str], tmp_path: Path) -> None:
    nights = Nights(store, ("a", "b"))
    query(store, "update alert_rules set is_active = condition = 'headroom' returning 1")
    for _ in range(2):
        nights.night({"a": {"app": 900 * GIB}, "b": {"app": 850 * GIB}})
        nights.morning()
    path = tmp_path / "alerts.yaml"
    path.write_text(FILE.replace("FOLDER", str(tmp_path)))
    succeed(store_environment, "alerts", "rules", "import", str(path))
    with http_receiver(HttpReceiver()) as receiver:
        (tmp_path / "url").write_text(receiver.url)
        succeed(store_environment, "alerts", "test-channel", "ops")
        listed = json.loads(succeed(store_environment, "alerts", "list", "--json"))
        assert [(alert["subject"], alert["severity"], alert["status"]) for alert in listed] == [
            ("b", "warning", "open"),
            ("a", "warning", "open"),
        ]
        succeed(store_environment, "alerts", "ack", str(listed[0]["alert_id"]), "--note", "ordered")
        muted = ("--instance", "a", "--days", "3", "--reason", "a load")
        succeed(store_environment, "alerts", "mute", *muted)
        succeed(store_environment, "alerts", "send", "--json")
        assert len(receiver.requests) == 1  # only the test: one is acknowledged, the other muted
        succeed(store_environment, "alerts", "unmute", "1")
        sent = json.loads(succeed(store_environment, "alerts", "send", "--json"))
        assert (sent["sent"], sent["failed"]) == (1, 0)
    shown = json.loads(succeed(store_environment, "alerts", "show", str(listed[0]["alert_id"]), "--json"))
    assert [event["event"] for event in shown["events"]] == ["acknowledged", "opened", "pending"]
    assert shown["acknowledged_note"] == "ordered"
    exported = succeed(store_environment, "alerts", "rules", "show")
    assert write_alert_file(parse_alert_file(exported, "exported")) == exported
    assert "There is no alert 99" in refused(store_environment, "alerts", "ack", "99")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules: [{name: x, condition: nothing}]", "there is no condition 'nothing'"),
        ("rules: [{name: x, condition: headroom, thresholds: {percent: 1}}]", "no threshold 'percent'"),
        ("rules: [{name: x, condition: headroom, thresholds: {warning_percent: '85'}}]", "a whole number from 0 to 1000"),
        ("rules: [{name: x, condition: footprint, tags: {a: b}}]", "about whalefall itself"),
        (
            "rules: [{name: x, condition: headroom, examples: [{used_bytes: 90, limit_bytes: 100, expect: critical}]}]",
            "example 1 is warning",
        ),
        ("channels: [{name: x, kind: webhook, url: 'https://example.org/TOKEN'}]", "never stored"),
        ("channels: [{name: x, kind: apprise, url: env:X, signing_key: env:Y}]", "only a webhook"),
        ("blackouts: [{name: x, cron: '* *', minutes: 5}]", "no cron expression"),
        ("blackouts: [{name: x, cron: '0 0 * * *', minutes: 20000}]", "minutes are a number"),
        ("rules: [{name: x, condition: step}, {name: x, condition: step}]", "two entries"),
        ("a: &a [1]\nb: *a", "no anchors"),
        ("alerts: []", "and nothing else"),
    ],
)
def test_a_file_that_would_fail_open_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as problem:
        parse_alert_file(text, "alerts.yaml")
    assert "TOKEN" not in str(problem.value)


def test_every_condition_has_a_sentence_and_a_next_step() -> None:
    from whalefall_pipelines.alerts.wording import sentence  # noqa: PLC0415

    for name, condition in CONDITIONS.items():
        assert sentence(name, {}) not in {"", name}
        assert condition.next_step.endswith(".")
