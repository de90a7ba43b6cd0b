"""The simulated history of the demo ends at today's sizes."""

from datetime import date

import pytest

from whalefall_pipelines.demo.history import PASTS, simulate

TODAY = date(2026, 11, 22)
GROWING = [key for key, past in PASTS.items() if past.step >= 0]


@pytest.mark.parametrize("today_bytes", [0, 1, 200_000, 1 << 20, 28 << 20, 100 << 20])
@pytest.mark.parametrize(("instance_name", "database_name"), [*GROWING, ("web", "whalefall_monitor")])
def test_no_database_shrinks_on_the_first_measured_day(instance_name: str, database_name: str, today_bytes: int) -> None:
    days = simulate(TODAY, {instance_name: 1}, {(instance_name, database_name): today_bytes})
    newest = max((day for day in days if day.database_name == database_name), key=lambda day: day.stat_date)
    assert 0 <= newest.total_bytes <= today_bytes
