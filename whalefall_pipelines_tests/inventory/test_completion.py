"""A shell completes names from the store, as its script asks for them; without a store it gets no answer and no error."""

from collections.abc import Mapping

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import whalefall
from whalefall_pipelines_tests.factories import DAY, register


def completed(environment: Mapping[str, str], line: str) -> list[str]:
    words = line.split(" ")
    asked = {"_WHALEFALL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    result = whalefall({**environment, **asked})
    assert result.stderr == ""
    return [answer.partition(",")[2] for answer in result.stdout.splitlines() if answer]


@pytest.fixture
def environment(store: Database, store_environment: dict[str, str]) -> dict[str, str]:
    """Three servers, one of which has a database."""
    orders, *_ = register(store, "orders", "orders-old", "web")
    with store.transaction() as cursor:
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date) values (%s, 'shop', %s, %s)",
            (orders.instance_id, DAY, DAY),
        )
    return store_environment


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("whalefall instances show o", ["orders", "orders-old"]),
        ("whalefall instances disable web o", ["orders", "orders-old"]),
        ("whalefall instances set w", ["web"]),
        ("whalefall instances rename w", ["web"]),
        ("whalefall instances test w", ["web"]),
        ("whalefall instances accept w", ["web"]),
        ("whalefall collect --instance w", ["web"]),
        ("whalefall history orders/", ["orders/shop"]),
        ("whalefall history nobody/", []),
        ("whalefall instances ren", ["rename"]),
        ("whalefall grow", ["growth"]),
    ],
)
def test_names_are_completed(environment: dict[str, str], line: str, answers: list[str]) -> None:
    assert completed(environment, line) == answers


def test_without_a_store_there_is_no_answer_and_no_error(tmp_path: str) -> None:
    assert completed({"WHALEFALL_HOME": f"{tmp_path}/none"}, "whalefall instances show o") == []
    unreachable = {"WHALEFALL_HOME": f"{tmp_path}/none", "WHALEFALL_DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}
    assert completed(unreachable, "whalefall instances show o") == []
