"""Names that the store cannot hold are escaped, and no two names become the same."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.fleet.names import storable

PIECES = ["a", "\\", "\\\\", "u", "ud800", "\\ud800", "\\u0000", "\0", "\ud800", "\udfff", "🐋", "0000"]
NAMES = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(NAMES)
def test_every_name_can_be_stored_and_most_are_as_they_are(name: str) -> None:
    kept = storable(name)
    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert kept == name or "\\u" in kept


def test_two_names_never_become_one() -> None:
    names = {"".join(pieces) for count in range(5) for pieces in itertools.product(PIECES, repeat=count)}
    assert len({storable(name) for name in names}) == len(names)
