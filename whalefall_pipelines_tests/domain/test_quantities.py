"""Sizes as people write them become exact bytes, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.quantities import LARGEST_BYTES, format_size, parse_size


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
