"""Sizes as people write them become exact bytes, or nothing; numbers of things are told in the singular and in the plural."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.quantities import LARGEST_BYTES, counted, format_size, parse_size


@given(st.integers(1, LARGEST_BYTES))
def test_every_size_survives_being_written_and_read(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(1, 1000), st.sampled_from(("KiB", "MiB", "GiB", "TiB", "PiB")))
def test_a_round_size_keeps_its_unit_or_a_bigger_one(count: int, unit: str) -> None:
    assert len(format_size(parse_size(f"{count}{unit}") or 0)) <= len(f"{count}{unit}")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500GiB", 500 * 2**30),
        ("500 gib", 500 * 2**30),
        ("2TB", 2 * 10**12),
        ("1.5TiB", 3 * 2**39),
        ("0.1KiB", 102),
        (" 7B ", 7),
        ("9223372036854775807B", 2**63 - 1),
    ],
)
def test_a_size_is_a_number_with_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "500", "GiB", "-1GiB", "1e3GiB", "1,5GiB", "5XB", "\u0665GiB", "nanGiB", "9223372036854775808B", "1.GiB", "5Gi B"]
)
def test_text_that_is_not_a_size_is_none(text: str) -> None:
    assert parse_size(text) is None


@given(st.text())
def test_any_text_is_a_size_or_none(text: str) -> None:
    size = parse_size(text)
    assert size is None or 0 <= size <= LARGEST_BYTES


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("database",), "0 databases"),
        (1, ("database",), "1 database"),
        (2, ("database",), "2 databases"),
        (1234, ("database",), "1,234 databases"),
        (1, ("of 5 databases is missing", "of 5 databases are missing"), "1 of 5 databases is missing"),
        (3, ("of 5 databases is missing", "of 5 databases are missing"), "3 of 5 databases are missing"),
    ],
)
def test_one_thing_is_told_in_the_singular(number: int, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text


@pytest.mark.parametrize(("number", "text"), [(1, "+1 byte"), (-1, "-1 byte"), (0, "+0 bytes"), (-4096, "-4,096 bytes")])
def test_a_change_has_its_sign(number: int, text: str) -> None:
    assert counted(number, "byte", is_change=True) == text


@given(st.integers())
def test_a_number_stays_the_same_number(number: int) -> None:
    shown, noun = counted(number, "row").split()
    assert (int(shown.replace(",", "")), noun == "row") == (number, abs(number) == 1)
