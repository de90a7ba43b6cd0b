"""The sentences of alerts about one of something."""

import pytest

from whalefall_pipelines.alerts.model import Figures
from whalefall_pipelines.alerts.wording import sentence

GB = 10**9


@pytest.mark.parametrize(
    ("condition", "figures", "text"),
    [
        ("runway", {"p50_days": 1, "used_bytes": 9 * GB, "limit_bytes": 10 * GB}, "full in 1 day: 9.0 GB of 10.0 GB"),
        ("missing_days", {"days": 1, "last_day": "2026-11-20"}, "nothing was measured for 1 day, last on 2026-11-20"),
        ("missing_days", {"days": 2}, "nothing was measured for 2 days, last on no day"),
        ("partitions_ahead", {"table_name": "gaps", "months_ahead": 1}, "gaps has table partitions for 1 month ahead"),
        ("forecast_unreliable", {"held": 1, "scored": 1}, "100 % of 1 interval held, where 80 % were promised"),
    ],
)
def test_one_is_told_in_the_singular(condition: str, figures: Figures, text: str) -> None:
    assert sentence(condition, figures) == text
