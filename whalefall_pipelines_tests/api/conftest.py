"""Sites with ten days of two servers, of which one day is missing and one is estimated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.api.site import Site, site
from whalefall_pipelines_tests.conftest import TIMEZONE, cloned_store
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import register, server

DATABASES = ("app", "shop")
FIRST_BYTES = {"app": 1000, "shop": 2000}


@pytest.fixture(scope="session")
def filled_template(postgres_server: PostgresCluster, store_template: str) -> str:
    """Ten days until today: every database grows by 10 bytes a day; `shop` of the first server is missing on the day before today."""
    administer(postgres_server, f"create database filled_template template {store_template}")
    administer(postgres_server, f"alter database filled_template set timezone to '{TIMEZONE.key}'")
    with closing(Database(parse_url(postgres_server.url("filled_template")), TIMEZONE)) as store:
        day = today(system_clock(), store.timezone)
        instances = register(store, "orders", "billing")
        days = {
            ((instance.instance_id, name), day - timedelta(days=9 - number)): ModelDay(
                FIRST_BYTES[name] + 10 * number, is_estimated=number == 3
            )
            for instance in instances
            for name in DATABASES
            for number in range(10)
        }
        days[(instances[0].instance_id, "shop"), day - timedelta(days=1)] = ModelDay(None)
        write_days(store, days)
        for period_type in PeriodType:
            compute_periods(store, periods_between(period_type, day - timedelta(days=9), day), day)
    return "filled_template"


@pytest.fixture
def filled(postgres_server: PostgresCluster, filled_template: str) -> Iterator[Database]:
    """A store with these days, for a test that changes it."""
    with cloned_store(postgres_server, filled_template) as store:
        yield store


@pytest.fixture
def running(filled: Database, tmp_path: Path) -> Iterator[Site]:
    """The web process over it, whose fleet answers."""
    with site(filled, tmp_path, {"orders": server(), "billing": server()}) as running:
        yield running


@pytest.fixture(scope="module")
def reading(postgres_server: PostgresCluster, filled_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One web process for all tests of a module, which change nothing."""
    with (
        cloned_store(postgres_server, filled_template) as store,
        site(store, tmp_path_factory.mktemp("home"), {"orders": server(), "billing": server()}) as running,
    ):
        yield running
