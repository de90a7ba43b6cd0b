"""Tables fit their width: columns are left out by importance, texts are wrapped between words, and no word is ever broken."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.terminal.tables import Layout, TableColumn, are_sizes, lay_out, text_width

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], width: int | None, droppable: Sequence[str] = ()) -> Layout:
    columns = [TableColumn(header, tuple(cells), is_numeric=False) for header, cells in zip(headers, zip(*rows, strict=True), strict=True)]
    return lay_out(columns, width, droppable=droppable)


def test_what_fits_is_left_as_it_is() -> None:
    layout = table([("orders", "fine"), ("web", "–")], ("name", "state"), 80)
    assert layout == Layout(("name    state",), ("orders  fine", "web     –"))


def test_a_long_text_is_wrapped_between_words_and_beside_the_others() -> None:
    layout = table([("legacy", "connection refused by the server: is it running there")], ("name", "message"), 40)
    assert layout.lines == (
        "legacy  connection refused by the",
        "        server: is it running there",
    )


def test_columns_are_left_out_in_their_order_and_only_as_many_as_it_takes() -> None:
    rows = [("orders", "postgresql", "2026-11-22 03:00:00", "16.3")]
    layout = table(rows, ("name", "engine", "connected", "version"), 42, ("version", "engine", "connected"))
    assert layout == Layout(("name    engine      connected",), ("orders  postgresql  2026-11-22 03:00:00",), ("version",))


def test_a_name_for_the_next_command_stays_whole_in_any_width() -> None:
    layout = table([(SESSION, "x" * 50)], ("session", "said"), 60)
    assert layout == Layout((), (f"session  {SESSION}", f"said     {'x' * 50}"))


@given(st.lists(st.integers(min_value=-(2**60), max_value=2**60)))
def test_sizes_as_people_read_them_are_a_column_of_numbers(sizes: list[int]) -> None:
    assert are_sizes([*map(round_size, sizes), "–", "12.5 %"])
    assert not are_sizes([*map(round_size, sizes), "billing"])


def test_numbers_are_aligned_to_the_right_and_keep_their_unit() -> None:
    sizes = TableColumn("size", ("1.5 GB", "700.0 MB"), is_numeric=True)
    names = TableColumn("name", ("a name of many words", "b"), is_numeric=False)
    assert lay_out([names, sizes], 21).lines == ("a name of      1.5 GB", "many words", "b            700.0 MB")


def test_wide_characters_take_two_columns() -> None:
    layout = table([("日本", "x"), ("abc", "y")], ("name", "sign"), None)
    assert layout.lines == ("日本  x", "abc   y")


@given(
    st.lists(
        st.tuples(*[st.lists(st.text("ab日é-/", min_size=1, max_size=12), min_size=1, max_size=6).map(" ".join)] * 3),
        min_size=1,
        max_size=4,
    ),
    st.integers(10, 90),
)
def test_nothing_is_broken_lost_or_too_wide(rows: list[tuple[str, str, str]], width: int) -> None:
    layout = table(rows, ("first", "second", "third"), width, ("third",))
    kept = rows if not layout.left_out else [row[:2] for row in rows]
    printed = [word for line in layout.lines for word in line.split()]
    headers = ["first", "second", "third"] * len(rows) if not layout.header else []
    assert sorted(printed) == sorted([word for row in kept for cell in row for word in cell.split()] + headers)
    if layout.header:
        assert all(text_width(line) <= width for line in (*layout.header, *layout.lines))
