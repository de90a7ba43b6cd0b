"""What several tests of the definitions begin with."""

from collections.abc import Iterator

import dagster as dg
import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key
from whalefall_pipelines_tests.factories import register


@pytest.fixture
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster that knows nothing yet."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def key(store: Database) -> Key:
    """The only database of the only instance."""
    (instance,) = register(store, "orders")
    return instance.instance_id, "shop"
