-- Export the residuals of scored forecasts. In PostgreSQL's binary format each row has the same length, so that an array reads it without
-- parsing.
-- Parameters: instance_ids, first_day, day (literals). Forecasts made on first_day or later whose day has come by `day`.
-- Returns: instance_id, database_id (0 for the server), horizon_days, made_on in days since first_day, matured, residual.
copy (
    select
        instance_id,
        coalesce(database_id, 0) as database_id,
        horizon_days::integer as horizon_days,
        made_on - {first_day}::date as column_number,
        matured,
        residual
    from capacity_forecast_scores
    where instance_id = any({instance_ids}::integer[]) and made_on >= {first_day}::date and target_date <= {day}::date
) to stdout with binary
