"""What stands in the place of a date, in words."""

WHY_NO_DATE = {
    "beyond": "more than 180 days",
    "no_limit": "no limit is known",
    "too_young": "too few days are known",
    "stale": "too many days are missing",
    "flat": "it does not grow",
    "regime_changed": "it changed in the last 14 days",
    "no_skill": "no reliable trend",
    "too_rough": "its forecasts miss by more than 10 %",
}
