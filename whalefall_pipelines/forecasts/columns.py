"""The documented columns of the forecasts. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

_SERIES: tuple[Column, ...] = (
    ("instance_id", "integer", "key, with database_id, made_on and horizon_days"),
    ("database_id", "integer", "the database within its server, as in database_activity; NULL for the server"),
    ("made_on", "date", "the newest day that the forecast used"),
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
        ("code_version", "smallint", "increases when the same sizes would give a different forecast"),
        ("model", "text", "the method that was chosen for this horizon from matured errors"),
        ("state", "text", "ok, or the reason why no date is shown"),
        ("base_bytes", "bigint", "the newest known size, from which the forecast begins"),
        ("point_bytes", "bigint", "the forecast for made_on + horizon_days"),
        *_BOUNDS,
        ("known_days", "smallint", "the number of measured and recovered days that the forecast used"),
        ("matured", "integer", "the number of scored forecasts of this horizon whose day had come"),
        ("error", "double precision", "their mean absolute error as a share of the size, with less weight on older ones"),
        ("skill", "double precision", "their error relative to the error of the last value; a date is shown below 0.8"),
        ("candidate_bytes", "bigint[]", "the forecasts of all candidates, followed by the issued forecast"),
    ),
    "capacity_forecast_scores": (
        *_SERIES,
        ("target_date", "date", "made_on + horizon_days, a measured or recovered day"),
        _ORIGIN,
        ("base_bytes", "bigint", "the size from which the forecast began"),
        ("point_bytes", "bigint", "what was forecast"),
        *_BOUNDS,
        ("actual_bytes", "bigint", "the actual size"),
        ("residual", "double precision", "actual_bytes minus point_bytes, as a share of base_bytes"),
        ("matured", "integer", "the number of scores of this series and horizon up to this one"),
        (
            "errors",
            "double precision[]",
            "the mean absolute error of each candidate up to this score, followed by the error of the issued forecasts",
        ),
    ),
    "capacity_changes": (
        ("instance_id", "integer", "key, with database_id, kind and to_date"),
        ("database_id", "integer", "the database within its server; NULL for the server"),
        ("kind", "text", "step, slope, outlier or recurring"),
        ("from_date", "date", "the change happened after this day"),
        ("to_date", "date", "the change had happened by this day"),
        ("known_on", "date", "the day whose sizes confirmed it"),
        ("change_bytes", "bigint", "the bytes that the usual daily change does not explain; for a slope, bytes per day after minus before"),
    ),
}
