"""A year of a fleet of 1,000 servers sends exactly the messages of a table."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from whalefall_pipelines.alerts.model import Kind, Mute
from whalefall_pipelines_tests.alerts.year import FIRST_DAY, GIB, Server, Year, constant, without

DAYS = 365
GROWER, JUMPER, SILENT, SEEN, MUTED, IGNORED, EDGE, HOLEY = range(1, 9)
# 1 GiB a day; the limit of 800 GiB would be reached on day 300, and is raised on day 297.
GROWS = Server(lambda day: (500 + day) * GIB, lambda day: (800 if day < 297 else 2000) * GIB)
CAST = {
    GROWER: GROWS,
    JUMPER: Server(lambda day: (100 + 30 * (day >= 50) + 30 * (day >= 53) - 80 * (day >= 80)) * GIB),
    SILENT: without(constant(100), *range(100, 110)),
    # 88 % from day 200, seen on day 201, 96 % from day 215, made room on day 230
    SEEN: Server(lambda day: (880 if 200 <= day < 215 else 960 if 215 <= day < 230 else 500) * GIB, lambda _day: 1000 * GIB),
    MUTED: Server(lambda day: (900 if 240 <= day < 300 else 500) * GIB),
    IGNORED: Server(lambda day: (900 if day >= 305 else 500) * GIB),
    # on the edge of the threshold: opens once, and the 84 % in between are no reason to clear
    EDGE: Server(lambda day: (500 if not 120 <= day < 140 else 860 if day % 4 else 840) * GIB),
    # grows past the threshold, and is not measured between days 63 and 69
    HOLEY: without(Server(lambda day: (870 if 60 <= day < 75 else 500) * GIB), *range(63, 70)),
}


def healthy(number: int) -> Server:
    """A server that grows slowly with a weekly saw-tooth, has room for years, and is not measured on one day of 200."""
    return Server(lambda day: None if hash((number, day)) % 200 == 0 else (100_000 + 50 * day + 1000 * (day % 7)) * GIB // 1000)


HEALTHY = {number: healthy(number) for number in range(9, 1001)}
EVEN = {number: without(HEALTHY[number], *range(180, 185)) for number in range(700, 1001)}
FLEET = {**HEALTHY, **EVEN, **CAST}
NEW, A, R, W, C = Kind.OPENED, Kind.AGAIN, Kind.REMINDER, Kind.WORSE, Kind.CLEARED
# Days and kind of the messages about one server (0: the fleet) by one rule.
EXPECTED: dict[tuple[str, int], list[tuple[int, Kind]]] = {
    # 85 % of the limit on day 180, which two days confirm; 95 % on day 260; told again after 1, 3 and 7 days, at most six times
    ("headroom", GROWER): [
        (181, NEW), *((day, R) for day in (182, 185, 192, 199, 206, 213)),
        (260, W), *((day, R) for day in (261, 264, 271, 278, 285, 292)), (299, C),
    ],
    # 29 days before the limit, and 7 days before it
    ("runway", GROWER): [(271, NEW), *((day, R) for day in (272, 275, 282, 289)), (293, W), (294, R), (297, R), (299, C)],
    ("step", JUMPER): [(50, NEW), (53, A)],
    ("shrink", JUMPER): [(80, NEW)],
    ("missing_days", SILENT): [(102, NEW), (103, R), (106, R), (110, C)],
    # acknowledged on day 201; told again because it is worse
    ("headroom", SEEN): [(201, NEW), (215, W), (216, R), (219, R), (226, R), (232, C)],
    ("step", SEEN): [(200, NEW), (215, NEW)],
    ("shrink", SEEN): [(230, NEW)],
    # muted until day 270, and still so
    ("headroom", MUTED): [(270, NEW), *((day, R) for day in (271, 274, 281, 288, 295)), (302, C)],
    ("shrink", MUTED): [(300, NEW)],
    ("step", IGNORED): [(305, NEW)],
    ("headroom", IGNORED): [(306, NEW), *((day, R) for day in (307, 310, 317, 324, 331, 338))],
    ("step", EDGE): [(120, NEW)],
    ("headroom", EDGE): [(122, NEW), *((day, R) for day in (123, 126, 133, 140)), (142, C)],
    ("shrink", EDGE): [(140, NEW)],
    # open on the days on which it was not measured, too, and over when three days say so
    ("step", HOLEY): [(60, NEW)],
    ("headroom", HOLEY): [(61, NEW), (62, R), (65, R), (72, R), (77, C)],
    ("missing_days", HOLEY): [(65, NEW), (66, R), (69, R), (70, C)],
    ("shrink", HOLEY): [(75, NEW)],
    # two nights in which nothing was collected
    ("collector_stale", 0): [(150, NEW), (151, R), (152, C)],
    # 301 servers silent for five days are one message for the fleet, and one about their common cause
    ("coverage", 0): [(180, NEW), (181, R), (184, R), (185, C)],
}  # fmt: skip
# Of the 301 servers, one was not measured on the day before either, and one was not on the day after.
TOGETHER = [(182, Kind.COMMON_CAUSE), (183, Kind.DIGEST), (185, Kind.DIGEST)]
EARLY, LATE = 813, 916


def played(servers: Mapping[int, Server]) -> Year:
    muted_until = datetime.combine(FIRST_DAY + timedelta(days=270), datetime.min.time(), UTC)
    mute = Mute(1, "dba", "a load", muted_until, instance_id=MUTED)
    year = Year(servers, closed=lambda day: day not in {150, 151}, mutes=(mute,))
    year.run(DAYS, {201: lambda year: year.acknowledge("headroom", SEEN)} if SEEN in servers else {})
    return year


@pytest.fixture(scope="module")
def year() -> Year:
    return played(FLEET)


def test_a_year_sends_exactly_these_messages(year: Year) -> None:
    messages = year.messages
    single = [message for message in messages if len(message[3]) == 1 and message[3][0] <= 8]
    expected = [(day, kind, rule, (server,)) for (rule, server), told in EXPECTED.items() for day, kind in told]
    assert sorted(single) == sorted(expected)
    many = [(day, kind, rule) for day, kind, rule, servers in messages if servers == (300,)]
    assert many == [(day, kind, "missing_days") for day, kind in TOGETHER]
    others = [message for message in messages if message not in single and message[3] != (300,)]
    assert others == [
        (181, NEW, "missing_days", (EARLY,)),
        (182, R, "missing_days", (EARLY,)),
        (186, C, "missing_days", (LATE,)),
    ]


def test_the_healthy_part_of_the_fleet_is_silent(year: Year) -> None:
    """691 servers with saw-teeth and holes, which fewer than two messages a week may be about."""
    about = {server for _, _, _, servers in year.messages if len(servers) > 1 or max(servers) <= 1000 for server in servers}
    assert about & set(range(9, 700)) <= {300}


def test_what_fills_gradually_is_told_two_weeks_before_and_a_jump_the_day_after() -> None:
    messages = played(CAST).messages
    full_on = next(day for day in range(DAYS) if (500 + day) >= 800)
    warned = min(day for day, _, rule, servers in messages if servers == (GROWER,) and rule in {"runway", "headroom"})
    dated = min(day for day, _, rule, servers in messages if servers == (GROWER,) and rule == "runway")
    assert full_on - warned >= 14
    assert full_on - dated >= 14
    assert {day for day, _, rule, servers in messages if rule == "step" and servers == (JUMPER,)} == {50, 53}
