"""The report of a week: what it counts, that it stays as it was sent, and that hostile names stay text."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.alerts.report_week import monday_of, read_week, send_last_week
from whalefall_pipelines.alerts.weekly import Section, WeeklyReport, read_sections, to_html, to_markdown
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.alerts.scene import FIRST_DAY, GIB, Nights, at
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.factories import query

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_a_week_is_reported_once_and_stays_as_it_was_sent(store: Database, store_environment: dict[str, str]) -> None:
    nights = Nights(store, ("a", "b"), day=FIRST_DAY - timedelta(days=1))
    query(
        store, "update instances set tags = jsonb_build_object('environment', case name when 'a' then 'test' else 'live' end) returning 1"
    )
    nights.add_channel()
    # Monday 2 November to Monday 9 November; `b` is not measured on Friday
    for number in range(8):
        nights.night({"a": {"app": (100 + 10 * number) * GIB}, "b": {"app": None if number == 4 else 50 * GIB}})
        nights.morning()
    assert send_last_week(store, at(nights.day))
    assert not send_last_week(store, at(nights.day))
    report = read_week(store, FIRST_DAY)
    sections = {section.heading: section for section in report.sections}
    assert len(sections["Total"].rows) == 7
    assert sections["Coverage"].sentence == "92.9 % of what was expected was measured."
    assert sections["Coverage"].rows[4] == ("2026-11-06", "1 of 2", "50.0 %")
    ((kind, subject),) = query(store, "select kind, subject from alert_outbox where kind = 'report'")
    assert (kind, subject) == ("report", "whalefall: week 45 of 2026, 2026-11-02 to 2026-11-08")
    # later days, and changed ones, do not change what was sent
    text = succeed(store_environment, "report", "--week", "2026-11-05")
    query(store, "delete from database_size_stats where stat_date = '2026-11-05' returning 1")
    assert succeed(store_environment, "report", "--week", "2026-11-02") == text == to_markdown(report)
    assert succeed(store_environment, "report", "--week", "2026-11-02", "--html") == to_html(report)


def test_a_week_without_an_evaluation_has_no_report(store: Database) -> None:
    nights = Nights(store, ("a",), day=FIRST_DAY + timedelta(days=9))
    nights.add_channel()
    nights.night({"a": {"app": GIB}})
    nights.morning()
    assert not send_last_week(store, at(nights.day))


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_begins_on_a_monday(day: date) -> None:
    assert monday_of(day).weekday() == 0
    assert 0 <= (day - monday_of(day)).days < 7


@given(st.lists(st.tuples(TEXT, TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3)), max_size=3))
def test_names_stay_text_and_what_is_stored_is_what_was_sent(drawn: list[tuple[str, str, list[tuple[str, str]]]]) -> None:
    sections = tuple(Section(heading, sentence, ("a", "b"), tuple(rows)) for heading, sentence, rows in drawn)
    report = WeeklyReport(FIRST_DAY, sections)
    assert read_sections([section.document for section in sections]) == sections
    html = to_html(report)
    assert html.count("<td>") == 2 * sum(len(section.rows) for section in sections)
    assert html.count("<script") == 0
    markdown = to_markdown(report)
    assert markdown == to_markdown(WeeklyReport(FIRST_DAY, read_sections([section.document for section in sections])))
