-- Insert the simulated history of the demo's databases, permanently marked as simulated. Existing days are not changed.
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
        instance_id, database_name, first_seen_date, last_seen_date, is_active, deleted_at
    )
    select
        instance_id,
        database_name,
        min(stat_date),
        max(stat_date),
        max(stat_date) = (select max(e.stat_date) from days as e),
        case when max(stat_date) < (select max(e.stat_date) from days as e) then max(stat_date) + interval '1 day' end
    from days
    group by instance_id, database_name
    on conflict (instance_id, database_name) do nothing
    returning *
),

database_days as (
    insert into database_activity (instance_id, database_name, active_from, active_until, database_id, first_measured_date)
    select
        instance_id,
        database_name,
        first_seen_date,
        case when not is_active then last_seen_date + 1 end,
        row_number() over (partition by instance_id order by database_name),
        first_seen_date
    from inventory
),

instance_days as (
    update instance_activity as a
    set active_from = d.first_day
    from (
        select
            instance_id,
            min(first_seen_date) as first_day
        from inventory
        group by instance_id
    ) as d
    where a.instance_id = d.instance_id and a.active_from > d.first_day
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
