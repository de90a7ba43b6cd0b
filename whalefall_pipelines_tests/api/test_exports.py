"""Exports: the same rows in every form, streamed."""

import csv
import io
import json

import pyarrow.parquet
import pytest

from whalefall_pipelines_tests.api.site import Site

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


def test_what_is_empty_is_an_empty_list(reading: Site) -> None:
    with reading.client() as client:
        parameters = {"start_date": "2020-01-01", "end_date": "2020-01-02"}
        assert client.get("/export/gaps", params=parameters, headers={"Accept": "application/json"}).json()["data"] == []
        assert client.get("/export/gaps", params=parameters).text.splitlines()[0].startswith("stat_date,")


def test_a_form_that_is_not_there_is_refused(reading: Site) -> None:
    with reading.client() as client:
        answer = client.get("/export/gaps", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.json()["message_code"]) == (406, "NOT_ACCEPTABLE")
