-- Write forecasts in PostgreSQL's binary format.
-- Parameters: none.
-- Returns: nothing.
copy capacity_forecasts (
    instance_id,
    database_id,
    made_on,
    horizon_days,
    origin,
    code_version,
    model,
    state,
    base_bytes,
    point_bytes,
    lower_80_bytes,
    upper_80_bytes,
    lower_90_bytes,
    upper_90_bytes,
    known_days,
    matured,
    error,
    skill,
    candidate_bytes
) from stdin with binary
