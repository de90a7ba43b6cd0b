-- Write scores in PostgreSQL's binary format.
-- Parameters: none.
-- Returns: nothing.
copy capacity_forecast_scores (
    instance_id,
    database_id,
    made_on,
    horizon_days,
    target_date,
    origin,
    base_bytes,
    point_bytes,
    lower_80_bytes,
    upper_80_bytes,
    lower_90_bytes,
    upper_90_bytes,
    actual_bytes,
    residual,
    matured,
    errors
) from stdin with binary
