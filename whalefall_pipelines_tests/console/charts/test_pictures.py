"""What the pictures say, read back from their elements as a browser would."""

import re
from collections import Counter
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalefall_pipelines.accounts.paths import PathStep
from whalefall_pipelines.console.charts.calendar import CalendarRow, Cell, calendar_chart
from whalefall_pipelines.console.charts.counts import counts_chart
from whalefall_pipelines.console.charts.paths import AccessPath, paths_chart
from whalefall_pipelines.console.charts.runway import Runway, runway_chart
from whalefall_pipelines.console.charts.series import Expected, Mark, Point, Series, series_chart
from whalefall_pipelines.console.charts.stacked import Layer, stacked_chart
from whalefall_pipelines.console.charts.timeline import MonthCell, timeline_chart
from whalefall_pipelines.console.charts.waterfall import Bar, waterfall_chart

DAY = date(2026, 11, 1)
GB = 10**9
HOSTILE = ["<script>alert(1)</script>", "a\nb", "\u202ertl", "🐋" * 16, "\0\x1b[31m", "']]>&amp;\"", "\ud800"]
SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    """The picture as a browser reads it; not in UTF-8 or not well-formed is an error."""
    return ET.fromstring(picture.encode())  # noqa: S314 - our own text


def elements(picture: str, tag: str, class_name: str) -> list[ET.Element]:
    """The elements of a picture that have this class."""
    return [element for element in parsed(picture).iter(SVG + tag) if class_name in (element.get("class") or "").split()]


def tooltips(picture: str, class_name: str) -> list[str]:
    return [element.findtext(f"{SVG}title") or "" for element in elements(picture, "g", class_name)]


def points(*sizes: int | None) -> list[Point]:
    return [Point(DAY + timedelta(days=number), size, Mark.MISSING if size is None else Mark.MEASURED) for number, size in enumerate(sizes)]


def heights(path: str) -> list[float]:
    """The vertical positions on a path."""
    return [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_a_missing_day_is_a_gap_and_a_cross_and_never_a_zero() -> None:
    picture = series_chart(Series("shop", points(3 * GB, 6 * GB, None, 7 * GB, 8 * GB)))
    lines = elements(picture, "path", "line")
    assert len(lines) == 2
    axis = float(elements(picture, "line", "axis")[0].attrib["y1"])
    assert all(height < axis - 50 for line in lines for height in heights(line.attrib["d"]))
    assert tooltips(picture, "missing") == ["2026-11-03: missing"]


def test_counts_are_a_line_from_zero_with_a_gap_where_nothing_was_counted() -> None:
    counted = {DAY: 2, DAY + timedelta(days=1): 4, DAY + timedelta(days=3): 1000}
    picture = counts_chart("Privileged", counted)
    assert len(elements(picture, "path", "line")) == 2
    assert tooltips(picture, "mark") == ["2026-11-01: 2", "2026-11-02: 4", "2026-11-04: 1,000"]
    assert [element.text for element in elements(picture, "text", "tick")][:2] == ["0", "500"]
    with pytest.raises(ValueError, match="at least one day"):
        counts_chart("Privileged", {})


def test_a_path_leads_from_an_account_along_its_roles() -> None:
    steps = (PathStep("a → b"), PathStep("admin", is_to_become=True), PathStep("DROP on table (grant)"))
    picture = paths_chart("Who can DROP", [AccessPath("orders/app", steps, "/account?name=app")])
    boxes = elements(picture, "g", "step-box")
    assert [box.findtext(f"{SVG}title") for box in boxes] == ["a → b", "by SET ROLE admin", "DROP on table (grant)"]
    places = [float(rect.attrib["x"]) for box in boxes for rect in box.iter(f"{SVG}rect")]
    assert places == sorted(set(places))
    assert [link.attrib["href"] for link in parsed(picture).iter(SVG + "a")] == ["/account?name=app"]
    own = paths_chart("Who can DROP", [AccessPath("orders/dba", (PathStep("superuser"),), "/account")])
    assert tooltips(own, "step-box") == ["superuser"]


def test_layers_stand_on_each_other_and_a_missing_day_is_a_gap() -> None:
    days = [DAY + timedelta(days=number) for number in range(5)]
    known = [days[0], days[1], days[3], days[4]]
    layers = [Layer("large", dict.fromkeys(known, 6 * GB)), Layer("small", dict.fromkeys(known, 2 * GB))]
    picture = stacked_chart("orders", days, layers, limit_bytes=10 * GB)
    bands = [[heights(path.attrib["d"]) for path in layer] for layer in (parsed(picture).iter(SVG + "g")) for layer in [list(layer)[1:]]]
    assert [len(layer) for layer in bands] == [2, 2]  # two runs of days for each layer
    large, small = bands[0][0], bands[1][0]
    assert min(large) == pytest.approx(max(small))  # the small one begins where the large one ends
    assert (max(large) - min(large)) == pytest.approx(3 * (max(small) - min(small)), rel=0.02)
    assert tooltips(picture, "layer") == ["large: 6.0 GB on 2026-11-05", "small: 2.0 GB on 2026-11-05"]
    with pytest.raises(ValueError, match="at least one day"):
        stacked_chart("orders", days, [Layer("large", {})])


def test_each_origin_has_a_shape_of_its_own_and_exact_bytes() -> None:
    series = [
        Point(DAY, 1_234_567, Mark.MEASURED),
        Point(DAY + timedelta(days=1), 1_300_000, Mark.RECOVERED),
        Point(DAY + timedelta(days=2), 1_400_000, Mark.ESTIMATED),
        Point(DAY + timedelta(days=3), None, Mark.MISSING, "timed_out", "/explain"),
    ]
    picture = series_chart(Series("shop", series))
    assert tooltips(picture, "measured") == ["2026-11-01: 1.2 MB (1,234,567 bytes), measured"]
    assert tooltips(picture, "missing") == ["2026-11-04: missing (timed_out)"]
    assert len(elements(picture, "path", "estimated")) == 1  # the dashed line to it
    shapes = {mark: ET.tostring(elements(picture, "g", mark)[0][1]) for mark in Mark if mark is not Mark.HELD}
    assert len({re.sub(rb'"[^"]*"', b"", shape) + bytes(str(len(shape)), "ascii") for shape in shapes.values()}) == 4
    assert parsed(picture).get("role") == "group"  # it has a link


def test_a_lonely_day_in_a_long_series_is_seen() -> None:
    sizes: list[int | None] = [None] * 300
    sizes[150] = 5 * GB
    picture = series_chart(Series("shop", points(*sizes)))
    assert len(elements(picture, "path", "line")) == 1
    assert "from 5.0 GB on 2027-03-31" in parsed(picture).attrib["aria-label"]


def test_a_long_series_keeps_its_extremes_and_its_gaps() -> None:
    sizes: list[int | None] = [40 * GB + number * 7919 % 10_000 * 10**6 for number in range(3650)]
    sizes[1000], sizes[2000], sizes[3000] = 90 * GB, 10 * GB, None
    picture = series_chart(Series("shop", points(*sizes)))
    assert len(picture) < 40_000
    drawn = [height for line in elements(picture, "path", "line") for height in heights(line.attrib["d"])]
    whole = series_chart(Series("shop", [Point(DAY, 10 * GB, Mark.MEASURED), Point(DAY + timedelta(days=1), 90 * GB, Mark.MEASURED)]))
    assert {min(drawn), max(drawn)} == set(heights(elements(whole, "path", "line")[0].attrib["d"]))
    assert len(tooltips(picture, "missing")) == 1


def test_the_limit_and_the_forecast_are_inside_the_picture() -> None:
    forecast = [Expected(DAY + timedelta(days=number), 5 * GB, 8 * GB, 20 * GB) for number in range(2, 60)]
    picture = series_chart(Series("shop", points(5 * GB, 6 * GB), limit_bytes=30 * GB, forecast=forecast, steps=[(DAY, "step")]))
    limit = float(elements(picture, "line", "limit")[0].attrib["y1"])
    interval = heights(elements(picture, "path", "interval")[0].attrib["d"])
    assert 0 < limit < min(interval)
    assert "limit 30.0 GB" in picture


def test_a_series_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        series_chart(Series("shop", []))


@settings(deadline=None)  # the first example also loads what it uses
@given(st.lists(st.integers(-(10**12), 10**12), max_size=12), st.integers(0, 10**15))
def test_a_waterfall_is_connected_and_adds_up(changes: list[int], start: int) -> None:
    end = start + sum(changes)
    picture = waterfall_chart("Growth", start, [Bar(str(number), change, "growth") for number, change in enumerate(changes)], end)
    assert len(elements(picture, "g", "bar")) == len(changes) + 2
    told = [int(text.split(": ")[1].split(" ")[0].replace(",", "")) for text in tooltips(picture, "growth")]
    assert start + sum(told) == end
    connectors = [float(line.attrib["x1"]) for line in elements(picture, "line", "connector")]
    edges = [
        (float(rect.attrib["x"]), float(rect.attrib["x"]) + float(rect.attrib["width"])) for rect in parsed(picture).iter(f"{SVG}rect")
    ]
    for connector, before, after in zip(connectors, edges, edges[1:], strict=False):
        assert all(min(abs(connector - edge) for edge in pair) <= 1.2 for pair in (before, after))


def test_a_waterfall_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="do not add up from 5 to 9"):
        waterfall_chart("Growth", 5, [Bar("a", 3, "growth")], 9)


def test_a_calendar_has_a_cell_for_each_day() -> None:
    days = [DAY + timedelta(days=number) for number in range(3)]
    cells = [Cell("measured", "#", "fine"), Cell("partly missing", "~", "2 of 3"), Cell("missing", "!", "timed_out", "/missing")]
    picture = calendar_chart("Coverage", days, [CalendarRow("prod", cells)])
    assert Counter(element.get("class") for element in elements(picture, "g", "cell")) == Counter(
        ["cell measured", "cell partly-missing", "cell missing"]
    )
    assert [element.get("href") for element in parsed(picture).iter(f"{SVG}a")] == ["/missing"]
    with pytest.raises(ValueError, match="has 2 cells for 3 days"):
        calendar_chart("Coverage", days, [CalendarRow("prod", cells[:2])])


def test_a_runway_beyond_the_horizon_ends_at_it() -> None:
    picture = runway_chart([Runway("shop", 3, 6, 12), Runway("logs", 100, 300, None)], 365)
    assert tooltips(picture, "urgent") == ["shop: 6 days, between 3 days and 12 days in 8 of 10 cases"]
    assert "later than the horizon in 8 of 10 cases" in tooltips(picture, "later")[0]
    right = [float(rect.attrib["x"]) + float(rect.attrib["width"]) for rect in parsed(picture).iter(f"{SVG}rect")]
    assert right[0] < right[1] <= 1064


def test_one_day_of_one_database_is_told_in_the_singular() -> None:
    picture = runway_chart([Runway("shop", 0, 1, 2)], 365)
    assert parsed(picture).get("aria-label") == "Days left for 1 database or server."
    assert tooltips(picture, "urgent") == ["shop: 1 day, between 0 days and 2 days in 8 of 10 cases"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    cell = Cell("missing", "!", name, "/?a=1&b=<")
    pictures = [
        series_chart(Series(name, [Point(DAY, None, Mark.MISSING, name)], steps=[(DAY, name)])),
        calendar_chart(name, [DAY], [CalendarRow(name, [cell], "/server")]),
        waterfall_chart(name, 0, [Bar(name, 1, "growth")], 1),
        runway_chart([Runway(name, 1, 2, 3)], 30),
        timeline_chart(["2026-11"], {name: {"2026-11": MonthCell("attached", name, name)}}),
    ]
    for picture in pictures:
        assert {element.tag.removeprefix(SVG) for element in parsed(picture).iter()} <= {
            "svg", "g", "a", "text", "title", "rect", "circle", "path", "line",
        }  # fmt: skip
        assert "style=" not in picture  # the content security policy allows none
