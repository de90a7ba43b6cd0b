"""Exports: the same rows in every form, streamed."""

import csv
import io
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet
import pytest

from whalefall_pipelines.api_base.exports import Export
from whalefall_pipelines_tests.api.site import Site, serving

DATASETS = {"database_sizes": 39, "instance_sizes": 20, "coverage": 20, "gaps": 1, "aggregations": 40}


def fetched(reading: Site, dataset: str, accept: str) -> bytes:
    with reading.client() as client:
        answer = client.get(f"/export/{dataset}", headers={"Accept": accept}, params={"time_range": 30})
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, accept.partition(",")[0])
    return answer.content


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_form_has_the_same_rows(reading: Site, dataset: str) -> None:
    by_csv = list(csv.DictReader(io.StringIO(fetched(reading, dataset, "text/csv").decode())))
    lines = [json.loads(line) for line in fetched(reading, dataset, "application/x-ndjson").splitlines()]
    whole = json.loads(fetched(reading, dataset, "application/json"))["data"]
    table = pyarrow.parquet.read_table(io.BytesIO(fetched(reading, dataset, "application/vnd.apache.parquet"))).to_pylist()
    assert whole == lines
    assert len(by_csv) == len(lines) == len(table) >= DATASETS[dataset]
    for name in ("instance_name", "total_bytes" if "sizes" in dataset else "instance_id"):
        assert [str(row[name]) for row in lines] == [row[name] for row in by_csv] == [str(row[name]) for row in table]
    assert list(by_csv[0]) == list(lines[0]) == list(table[0])


class ImpatientExport(Export):
    """An export that waits a short time only."""

    stall_seconds = 0.3


def test_a_client_that_takes_nothing_loses_its_export() -> None:
    """Else it would hold a connection to the store, of which there are a dozen."""
    ended = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await ImpatientExport(pieces(), media_type="text/csv")(scope, receive, send)

    with serving(app) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as asleep:
            asleep.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert ended.wait(20)


def test_what_is_empty_is_an_empty_list(reading: Site) -> None:
    with reading.client() as client:
        parameters = {"start_date": "2020-01-01", "end_date": "2020-01-02"}
        assert client.get("/export/gaps", params=parameters, headers={"Accept": "application/json"}).json()["data"] == []
        assert client.get("/export/gaps", params=parameters).text.splitlines()[0].startswith("stat_date,")


def test_a_form_that_is_not_there_is_refused(reading: Site) -> None:
    with reading.client() as client:
        answer = client.get("/export/gaps", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.json()["message_code"]) == (406, "NOT_ACCEPTABLE")
