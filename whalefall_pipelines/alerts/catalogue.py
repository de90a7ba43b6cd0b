"""The conditions that rules may have, with their defaults. `conditions.py` derives severities from their figures."""

from collections.abc import Mapping

from whalefall_pipelines.alerts import conditions
from whalefall_pipelines.alerts.conditions import Condition, Evidence, Threshold
from whalefall_pipelines.alerts.model import Severity
from whalefall_pipelines.errors import InputError

_PERCENT = {"least": 0, "most": 1000}
_OF_SIZES = (
    Condition(
        "runway",
        "a database or server reaches its limit soon, by its newest forecast",
        "raise the limit, or make room; `whalefall runway` shows how good earlier forecasts were.",
        conditions.severity_of_runway,
        {
            "warning_days": Threshold(30, "days until the limit, by the forecast"),
            "warning_percent": Threshold(50, "and so much of the limit is used", **_PERCENT),
            "critical_days": Threshold(7, "days until the limit, by the forecast or at the earliest"),
            "critical_percent": Threshold(85, "if at the earliest, so much of the limit is used", **_PERCENT),
            "clear_days": Threshold(45, "more days than these clear it"),
        },
        Evidence.SIZES,
        opens_after_days=2,
        clears_after_days=3,
    ),
    Condition(
        "headroom",
        "a database or server has used most of its limit",
        "raise the limit, or make room.",
        conditions.severity_of_headroom,
        {
            "warning_percent": Threshold(85, "so much of the limit is used", **_PERCENT),
            "critical_percent": Threshold(95, "so much of the limit is used", **_PERCENT),
            "clear_percent": Threshold(80, "less than this clears it", **_PERCENT),
        },
        Evidence.SIZES,
        opens_after_days=2,
        clears_after_days=3,
        is_urgent=True,
    ),
    Condition(
        "jump_room",
        "one more jump like the largest of the last year would not fit into the limit",
        "raise the limit, or make room before the next load.",
        conditions.severity_of_jump_room,
        {"clear_percent": Threshold(150, "headroom of so much of that jump clears it", 100, 1000)},
        Evidence.SIZES,
        opens_after_days=2,
        clears_after_days=3,
    ),
    Condition(
        "step",
        "a database is larger by a step than at its last known size",
        "find out what was loaded; `whalefall tables growth` shows in which tables.",
        conditions.severity_of_step,
        {
            "least_percent": Threshold(5, "so much larger", **_PERCENT),
            "least_gib": Threshold(10, "and by so many GiB"),
        },
        Evidence.SIZES,
        lasts_days=7,
        finder="moves",
    ),
    Condition(
        "shrink",
        "a database is much smaller than at its last known size",
        "find out whether data was lost.",
        conditions.severity_of_shrink,
        {
            "least_percent": Threshold(30, "so much smaller", **_PERCENT),
            "least_gib": Threshold(20, "and by so many GiB"),
        },
        Evidence.SIZES,
        lasts_days=7,
        finder="moves",
    ),
    Condition(
        "vanished",
        "a database is gone, and a second listing confirms it",
        "find out who dropped it.",
        conditions.severity_of_vanished,
        {"least_gib": Threshold(0, "its last known size")},
        lasts_days=7,
    ),
)
_OF_COLLECTING = (
    Condition(
        "coverage",
        "too few of the expected databases have a size on a day",
        "`whalefall coverage` lists what is missing and why.",
        conditions.severity_of_coverage,
        {
            "warning_percent": Threshold(98, "fewer have a size", **_PERCENT),
            "critical_percent": Threshold(90, "fewer have a size", **_PERCENT),
        },
    ),
    Condition(
        "missing_days",
        "nothing of a server was measured for days",
        "`whalefall instances test` tells what is wrong with it.",
        conditions.severity_of_missing_days,
        {"warning_days": Threshold(3, "days in a row", 1, 14)},
    ),
    Condition(
        "collector_stale",
        "no day was closed when it should have been",
        "run `whalefall doctor`, and start Dagster's daemon.",
        conditions.severity_of_collector_stale,
        {"by_hour": Threshold(6, "the hour by which the night is over, in the time zone of the store", 1, 23)},
        is_nightly=False,
        has_instances=False,
    ),
    Condition(
        "login_rejected",
        "a server rejects its login; it is not tried again until the login is changed",
        "correct the password with `whalefall instances set-secret`, or unlock the account on the server.",
        conditions.always(Severity.WARNING),
    ),
    Condition(
        "unfinished_sessions",
        "a session runs for too long, or its process has ended",
        "`whalefall sessions list` shows it, `whalefall sessions cancel` ends it.",
        conditions.always(Severity.WARNING),
        {
            "silent_minutes": Threshold(60, "minutes without a heartbeat", 5),
            "running_hours": Threshold(12, "hours since it began", 1),
        },
        is_nightly=False,
        has_instances=False,
    ),
)
_OF_THE_STORE = (
    Condition(
        "partitions_ahead",
        "table partitions of the coming months are missing",
        "run `whalefall partitions create`.",
        conditions.severity_of_partitions_ahead,
        {"warning_months": Threshold(2, "fewer months ahead exist", 0, 120)},
        is_nightly=False,
        has_instances=False,
    ),
    Condition(
        "footprint",
        "the store and Dagster's database take more disk than their budget",
        "shorten the retention, or raise the budget; `whalefall doctor` shows what takes the most.",
        conditions.severity_of_footprint,
        {"warning_gib": Threshold(50, "GiB on disk", 1), "critical_gib": Threshold(100, "GiB on disk", 1)},
        has_instances=False,
    ),
)
_OF_ACCOUNTS = (
    Condition(
        "privileged_account",
        "an account is privileged that was not",
        "find out who allowed it; `whalefall accounts changes` shows what was granted.",
        conditions.always(Severity.WARNING),
        evidence=Evidence.ACCOUNTS,
        lasts_days=7,
    ),
    Condition(
        "class_changed",
        "accounts came into classes of power, or left them",
        "`whalefall accounts classes` shows them.",
        conditions.always(Severity.INFO),
        evidence=Evidence.ACCOUNTS,
        lasts_days=1,
    ),
)
_OF_FORECASTS = (
    Condition(
        "forecast_unreliable",
        "intervals of forecasts do not hold as promised, so that dates of limits are less certain than they say",
        "`whalefall forecasts track` shows by which series.",
        conditions.severity_of_forecast_unreliable,
        {
            "least_percent": Threshold(70, "fewer intervals of 80 % hold", **_PERCENT),
            "most_percent": Threshold(95, "more intervals of 80 % hold", **_PERCENT),
            "least_scored": Threshold(20, "so many were scored in four weeks"),
        },
        has_instances=False,
    ),
)
CONDITIONS: Mapping[str, Condition] = {
    condition.name: condition for condition in (*_OF_SIZES, *_OF_COLLECTING, *_OF_THE_STORE, *_OF_ACCOUNTS, *_OF_FORECASTS)
}


def condition_of(name: str) -> Condition:
    """The condition of this name.

    Raises:
        InputError: there is none; the message lists those that there are.
    """
    if name not in CONDITIONS:
        raise InputError(f"there is no condition {name!r:.60}; there are {', '.join(CONDITIONS)}")
    return CONDITIONS[name]
