"""The OpenAPI document is committed, so that a change of the contract is seen in a review."""

import json
import re
from pathlib import Path

from whalefall_pipelines.api.app import create_app
from whalefall_pipelines_tests.documents.reference import OPENAPI

# The twelve routes of the product documents.
OF_THE_DOCUMENTS = {
    "POST /capacity/aggregations/current",
    "GET /capacity/databases",
    "GET /capacity/databases/summary",
    "GET /capacity/instances",
    "GET /capacity/instances/summary",
    "GET /partitions/info",
    "GET /partitions/status",
    "GET /partitions",
    "POST /partitions",
    "POST /partitions/actions/cleanup",
    "GET /partitions/statistics",
    "GET /partitions/aggregations/core-metrics",
}


def test_the_committed_document_is_the_one_of_the_code() -> None:
    committed = json.loads(Path(OPENAPI).read_text(encoding="utf-8"))
    assert committed == create_app().openapi(), "run `make docs`, and review the change of the contract"


def test_the_routes_of_the_product_documents_are_there() -> None:
    paths = create_app().openapi()["paths"]
    routes = {f"{method.upper()} {path.removeprefix('/api/v1')}" for path, operations in paths.items() for method in operations}
    assert routes >= OF_THE_DOCUMENTS


def test_every_parameter_has_a_meaning_and_every_answer_a_schema() -> None:
    document = create_app().openapi()
    text = json.dumps(document)
    references = set(re.findall(r"#/components/schemas/([^\"]+)", text))
    assert references <= set(document["components"]["schemas"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])
            assert {"401", "403", "500"} <= set(operation["responses"]), (path, method)
            assert "422" not in operation["responses"] or method != "get"


def test_it_speaks_json_and_not_python() -> None:
    assert not re.findall(r".{20}None(?:Type)?\b.{20}", json.dumps(create_app().openapi()).replace("\\n", " "))
