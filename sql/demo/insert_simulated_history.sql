-- The simulated past of the demo's databases, marked as such for ever. Days that exist are left alone.
-- Parameters: days (json text: list of instance_id, database_name, stat_date, total_bytes).
-- Returns: nothing.
with days as (
    select
        d.instance_id,
        d.database_name,
        d.stat_date,
        d.total_bytes
    from jsonb_to_recordset(%(days)s::jsonb) as d (instance_id integer, database_name text, stat_date date, total_bytes bigint)
),

inventory as (
    insert into instance_databases (
        instance_id, database_name, first_seen_date, last_seen_date, first_measured_date, is_active, deleted_at
    )
    select
        instance_id,
        database_name,
        min(stat_date),
        max(stat_date),
        min(stat_date),
        max(stat_date) = (select max(e.stat_date) from days as e),
        case when max(stat_date) < (select max(e.stat_date) from days as e) then max(stat_date) + interval '1 day' end
    from days
    group by instance_id, database_name
    on conflict (instance_id, database_name) do nothing
)

insert into database_size_stats (
    instance_id, database_name, stat_date, total_bytes, data_bytes, collected_at, provenance, method
)
select
    instance_id,
    database_name,
    stat_date,
    total_bytes,
    total_bytes,
    stat_date + interval '3 hours',
    'measured',
    'simulated'
from days
on conflict (instance_id, database_name, stat_date) do nothing
