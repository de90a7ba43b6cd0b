"""Filter files: what they add to the system databases, and errors with their line."""

import pytest

from whalefall_pipelines.domain.instances import SYSTEM_DATABASES, Engine
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.fleet_file import parse_filters


def test_filters_are_added_to_the_system_databases() -> None:
    filters = parse_filters("postgresql: {names: [Scratch, 1], patterns: ['tmp\\_%']}\nmysql: {}\n", "filters")
    assert filters[Engine.MYSQL] == SYSTEM_DATABASES[Engine.MYSQL]
    assert [
        name for name in ("Scratch", "scratch", "1", "tmp_x", "tmpx", "template0", "app") if filters[Engine.POSTGRESQL].hides(name)
    ] == [
        "Scratch",
        "1",
        "tmp_x",
        "template0",
    ]
    assert parse_filters("", "filters") == SYSTEM_DATABASES


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- a", 1),
        ("mysql: {}\ndb2: {}", 2),
        ("mysql:\n  names: a", 2),
        ("mysql:\n  names: [a]\n  name: [b]", 3),
        ("mysql:\n  names:\n  - [a]", 3),
        ("mysql:\n  patterns:\n  - ''", 3),
        ("mysql: {}\nmysql: {}", 2),
        ("mysql:\n  names: [", 3),
    ],
)
def test_a_bad_filter_file_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InputError, match=rf"^filters, line {line}: "):
        parse_filters(text, "filters")
