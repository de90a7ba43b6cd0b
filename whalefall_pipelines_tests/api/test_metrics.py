"""What Prometheus is told, read as Prometheus reads it."""

import re
import subprocess
from datetime import datetime, time
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.domain.metrics import Metric, Sample, expose
from whalefall_pipelines_tests.api.conftest import DATABASES, FIRST_BYTES
from whalefall_pipelines_tests.api.site import Site
from whalefall_pipelines_tests.factories import query

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by its name and labels; none occurs twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in {"gauge", "counter", "histogram"}
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def scraped(running: Site, path: str = "/metrics") -> Samples:
    with running.client() as client:
        answer = client.get(f"{running.url}{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return parsed(answer.text)


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_the_fleet_and_its_servers_are_told(reading: Site) -> None:
    samples = scraped(reading)
    complete = sum(FIRST_BYTES[name] + 90 for name in DATABASES)
    assert samples["whalefall_instance_size_bytes", labelled(instance="orders", engine="postgresql")] == complete
    assert samples["whalefall_fleet_size_bytes", frozenset()] == 2 * complete
    assert samples["whalefall_fleet_databases", labelled(state="measured")] == 4
    assert samples["whalefall_fleet_databases", labelled(state="missing")] == 0
    assert samples["whalefall_instance_databases", labelled(instance="billing", engine="postgresql", state="measured")] == 2
    assert samples["whalefall_table_partitions_ahead", labelled(table="database_size_stats")] >= 0
    assert samples["whalefall_stale_periods", labelled(period_type="daily")] >= 0
    names = {name for name, _ in samples}
    assert "whalefall_instance_capacity_limit_bytes" not in names  # unknown is no sample
    assert "whalefall_database_size_bytes" not in names  # a series for each database is asked for
    assert all(re.fullmatch("whalefall_[a-z_]+", name) for name in names)


@pytest.mark.slow
def test_promtool_has_no_complaint(reading: Site) -> None:
    """`apt-get install prometheus`; CI does not."""
    with reading.client() as client:
        text = client.get(f"{reading.url}/metrics").text
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_databases_are_told_if_they_are_asked_for(reading: Site) -> None:
    sizes = {key: value for key, value in scraped(reading, "/metrics?databases=top").items() if key[0] == "whalefall_database_size_bytes"}
    expected = {
        ("whalefall_database_size_bytes", labelled(instance=instance, database=name)): FIRST_BYTES[name] + 90
        for instance in ("orders", "billing")
        for name in DATABASES
    }
    assert sizes == expected
    none = scraped(reading, "/metrics?tag=env=nowhere")
    assert "whalefall_database_size_bytes" not in {name for name, _ in none}
    assert none["whalefall_metrics_truncated", frozenset()] == 0


def close_today(running: Site, *, reached: int) -> None:
    """A collection of today that reached so many servers of two."""
    today = running.services.today()
    session_id = str(uuid4())
    query(
        running.store,
        "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, total_instances)"
        f" values ('{session_id}', 'capacity', 'scheduled_task', '{today}', '{today}', 2) returning 1",
    )
    query(
        running.store,
        "update sync_sessions set status = 'failed', completed_at = now(),"
        f" successful_instances = {reached}, failed_instances = {2 - reached} where session_id = '{session_id}' returning 1",
    )


def test_the_last_closed_day_and_the_last_sessions_are_told(running: Site) -> None:
    close_today(running, reached=1)
    samples = scraped(running)
    begin = datetime.combine(running.services.today(), time(), running.store.timezone).timestamp()
    assert samples["whalefall_last_closed_day_timestamp", frozenset()] == begin
    assert samples["whalefall_session_last_timestamp_seconds", labelled(category="capacity", status="failed")] > begin


def test_a_day_without_any_server_is_not_closed(running: Site) -> None:
    close_today(running, reached=0)
    assert "whalefall_last_closed_day_timestamp" not in {name for name, _ in scraped(running)}


def test_requests_are_counted_by_their_route(running: Site) -> None:
    with running.client() as client, running.client(None) as stranger:
        for number in (1, 2, 999):
            client.get(f"/instances/{number}")
        stranger.get("/instances/1")
        samples = parsed(client.get("/metrics").text)
    route = {"route": "/instances/{instance_id}", "method": "GET"}
    assert samples["whalefall_http_requests_total", labelled(**route, status="2xx")] == 2
    assert samples["whalefall_http_requests_total", labelled(**route, status="4xx")] == 1
    assert samples["whalefall_http_requests_total", labelled(route="none", method="GET", status="4xx")] == 1
    assert samples["whalefall_http_request_duration_seconds_bucket", labelled(**route, status="2xx", le="+Inf")] == 2
    assert samples["whalefall_http_request_duration_seconds_count", labelled(**route, status="2xx")] == 2


def test_metrics_need_a_token(running: Site) -> None:
    with running.client(None) as client:
        assert client.get(f"{running.url}/metrics").status_code == 401
    with running.client(Scope.READ) as client:
        refused = client.get("/metrics", params={"databases": "all"})
    assert (refused.status_code, refused.json()["message_code"]) == (400, "VALIDATION_ERROR")


def test_hostile_names_are_escaped() -> None:
    text = expose([Metric("whalefall_x", 'a\\b\n"c"', (Sample(1, {"name": 'o"\\\n}'}), Sample(9007199254740993, {})))])
    assert text.splitlines()[0] == '# HELP whalefall_x a\\\\b\\n"c"'
    assert parsed(text) == {("whalefall_x", labelled(name='o"\\\n}')): 1.0, ("whalefall_x", frozenset()): 9007199254740993}
    assert "9007199254740993" in text
