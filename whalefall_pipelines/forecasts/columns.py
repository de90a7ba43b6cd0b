"""The documented columns of the forecasts. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

_SERIES: tuple[Column, ...] = (
    ("instance_id", "integer", "key, with database_id, made_on and horizon_days"),
    ("database_id", "integer", "the database within its server, as in database_activity; NULL for the server"),
    ("made_on", "date", "the newest day that the forecast read"),
    ("horizon_days", "smallint", "7, 30 or 90"),
)
_BOUNDS: tuple[Column, ...] = tuple(
    (f"{side}_{level}_bytes", "bigint", f"the {side} bound of the interval of {level} %; NULL before four forecasts have matured")
    for level in (80, 90)
    for side in ("lower", "upper")
)
_ORIGIN: Column = ("origin", "text", "issued on made_on, or replayed later from what was known then")
COLUMNS: dict[str, tuple[Column, ...]] = {
    "capacity_forecasts": (
        *_SERIES,
        _ORIGIN,
        ("code_version", "smallint", "rises when the same sizes would give another forecast"),
        ("model", "text", "the forecaster that the matured errors chose for this horizon"),
        ("state", "text", "ok, or why no date may be named"),
        ("base_bytes", "bigint", "the newest known size, from which the forecast begins"),
        ("point_bytes", "bigint", "the forecast for made_on + horizon_days"),
        *_BOUNDS,
        ("known_days", "smallint", "the number of measured and recovered days that the forecast read"),
        ("matured", "integer", "the number of scored forecasts of this horizon whose day had come"),
        ("error", "double precision", "their mean absolute error as a share of the size, older ones counting less"),
        ("skill", "double precision", "their error as a share of that of the last value; below 0.8 a date may be named"),
        ("candidate_bytes", "bigint[]", "what every candidate said, last what was issued"),
    ),
    "capacity_forecast_scores": (
        *_SERIES,
        ("target_date", "date", "made_on + horizon_days, a measured or recovered day"),
        _ORIGIN,
        ("base_bytes", "bigint", "the size from which the forecast began"),
        ("point_bytes", "bigint", "what was forecast"),
        *_BOUNDS,
        ("actual_bytes", "bigint", "what came true"),
        ("residual", "double precision", "actual_bytes minus point_bytes, as a share of base_bytes"),
        ("matured", "integer", "the number of scores of this series and horizon up to this one"),
        ("errors", "double precision[]", "the mean absolute error of each candidate up to this score, last of what was issued"),
    ),
    "capacity_changes": (
        ("instance_id", "integer", "key, with database_id, kind and to_date"),
        ("database_id", "integer", "the database within its server; NULL for the server"),
        ("kind", "text", "step, slope, outlier or recurring"),
        ("from_date", "date", "it happened after this day"),
        ("to_date", "date", "and by this day"),
        ("known_on", "date", "the day whose sizes confirmed it"),
        ("change_bytes", "bigint", "what the usual change of a day does not explain; of a slope, bytes a day after minus before"),
    ),
}
