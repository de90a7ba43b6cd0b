"""Tables in the order and with the filter of a query, and their CSV."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from whalefall_pipelines.console.arrange import SHOWN_ROWS, arrange, to_csv
from whalefall_pipelines.console.blocks import Table, size, text

TABLE = Table("largest", "Largest", ("Name", "Size"), [(text(name), size(count)) for name, count in (("b", 5), ("a", None), ("C", 70))])


def names(query: dict[str, str]) -> list[str]:
    return [row[0].text for row in arrange(TABLE, query).rows]


def test_a_click_sorts_by_a_column_and_the_next_turns_the_order() -> None:
    assert names({"largest.sort": "Name"}) == ["a", "b", "C"]
    assert names({"largest.sort": "Size", "largest.order": "desc"}) == ["C", "b", "a"]
    assert names({"largest.sort": "Size"}) == ["b", "C", "a"]  # the unknown size is last in both
    heading = arrange(TABLE, {"largest.sort": "Size", "largest.order": "desc", "day": "2026-11-01"}).headings[1]
    assert (heading.sorted, heading.url) == ("descending", "?largest.sort=Size&largest.order=asc&day=2026-11-01")
    assert names({"largest.sort": "no such column"}) == names({"other.sort": "Name"}) == ["b", "a", "C"]


def test_a_filter_finds_text_in_any_column() -> None:
    assert names({"largest.filter": "c"}) == ["C"]
    assert names({"largest.filter": "70"}) == ["C"]
    arranged = arrange(TABLE, {"largest.filter": "nothing like it"})
    assert (arranged.matching, arranged.count, arranged.rows) == (0, 3, [])


@settings(deadline=None)  # the first example also loads what it uses
@given(st.lists(st.one_of(st.none(), st.integers(0, 2**62)), max_size=30))
def test_sorting_agrees_with_python(sizes: list[int | None]) -> None:
    table = Table("t", "", ("Size",), [(size(count),) for count in sizes])
    rows = [row[0].raw for row in arrange(table, {"t.sort": "Size", "t.order": "desc"}).rows]
    assert rows == sorted((count for count in sizes if count is not None), reverse=True) + [None] * sizes.count(None)


def test_the_csv_has_all_rows_and_exact_values() -> None:
    table = Table("t", "", ("Name", "Size"), [(text(f"d{number}"), size(number * 1_000_001)) for number in range(SHOWN_ROWS + 50)])
    assert len(arrange(table, {}).rows) == SHOWN_ROWS
    rows = list(csv.DictReader(io.StringIO(to_csv(table, {"t.sort": "Size", "t.order": "desc"}))))
    assert len(rows) == SHOWN_ROWS + 50
    assert rows[0] == {"Name": "d249", "Size": "249000249"}


def test_a_name_in_the_csv_is_never_a_formula() -> None:
    hostile = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", 'a"b\nc')
    table = Table("t", "", ("Name",), [(text(name),) for name in hostile])
    exported = [row[0] for row in csv.reader(io.StringIO(to_csv(table, {})))][1:]
    assert exported == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", 'a"b\nc']
