-- The databases of the simulated days: those without a day on the last one were dropped after theirs.
-- Parameters: last_day.
-- Returns: nothing.
with databases as (
    select
        instance_id,
        database_name,
        min(stat_date) as first_day,
        max(stat_date) as last_day,
        min(stat_date) filter (where total_bytes is not null) as first_measured_date
    from simulated_days
    group by instance_id, database_name
),

inventory as (
    insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date, is_active, deleted_at)
    select
        instance_id,
        database_name,
        first_day,
        last_day,
        last_day = %(last_day)s::date,
        case when last_day < %(last_day)s::date then last_day + interval '1 day' end
    from databases
)

insert into database_activity (instance_id, database_name, active_from, active_until, database_id, first_measured_date)
select
    instance_id,
    database_name,
    first_day,
    case when last_day < %(last_day)s::date then last_day + 1 end,
    row_number() over (partition by instance_id order by database_name),
    first_measured_date
from databases
