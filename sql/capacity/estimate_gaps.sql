-- Write the estimates of open gaps and close them. What is measured or recovered stays as it is.
-- Parameters: interpolations (the statement interpolate_gaps, whose parameters are given too), session_id.
-- Returns: instance_id, estimated (rows written of the instance).
with estimated as (
    insert into database_size_stats (
        instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, method, session_id
    )
    select
        b.instance_id,
        b.database_name,
        b.stat_date,
        b.total_bytes,
        b.data_bytes,
        b.log_bytes,
        now(),
        'estimated',
        'linear',
        %(session_id)s::uuid
    from (
        {interpolations}
    ) as b
    on conflict (instance_id, database_name, stat_date) do nothing
    returning instance_id, database_name, stat_date
),

closed as (
    update capacity_gaps as g
    set closed_by = 'estimated'
    from estimated as e
    where g.instance_id = e.instance_id and g.database_name = e.database_name and g.stat_date = e.stat_date
)

select
    instance_id,
    count(*)::integer as estimated
from estimated
group by instance_id
