"""schemathesis asks the real app what its OpenAPI document allows and does not allow: no 5xx, no answer that is not documented."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.factories import server

SCHEMA = schemathesis.openapi.from_dict(create_app().openapi())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def asked(postgres_server: PostgresCluster, filled_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A site and a token for everything."""
    home: Path = tmp_path_factory.mktemp("home")
    with (
        cloned_store(postgres_server, filled_template) as store,
        site(store, home, {"orders": server(), "billing": server()}) as running,
    ):
        yield running, running.token(Scope.ADMIN, has_access=True)


def requests(most: int) -> settings:
    """So many made-up requests for each route, the same in each run."""
    phases = [Phase.explicit, Phase.generate]
    return settings(max_examples=most, deadline=None, derandomize=True, phases=phases, suppress_health_check=list(HealthCheck))


def answer(case: schemathesis.Case, asked: tuple[Site, str]) -> None:
    """Send a request and compare its answer with the document."""
    running, token = asked
    response = case.call(base_url=running.url, headers={"Authorization": f"Bearer {token}"})
    case.validate_response(response, checks=CHECKS)
    assert not re.findall(r".{0,40}\bNone\b.{0,40}", response.text), "null is meant"


@SCHEMA.parametrize()
@requests(2)
def test_a_few_answers_are_documented(case: schemathesis.Case, asked: tuple[Site, str]) -> None:
    answer(case, asked)


@pytest.mark.slow
@SCHEMA.parametrize()
@requests(20)
def test_no_answer_is_undocumented(case: schemathesis.Case, asked: tuple[Site, str]) -> None:
    answer(case, asked)
