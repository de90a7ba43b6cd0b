-- Databases that came and went in the last 30 days.
-- Parameters: none.
-- Returns: day, change (came or went), instance_name, database_name.
select
    c.day,
    c.change,
    i.name as instance_name,
    c.database_name
from (
    select
        first_seen_date as day,
        'came' as change,
        instance_id,
        database_name
    from instance_databases
    where first_seen_date >= current_date - 30
    union all
    select
        deleted_at::date,
        'went',
        instance_id,
        database_name
    from instance_databases
    where deleted_at >= current_date - 30
) as c
inner join instances as i on c.instance_id = i.instance_id
order by c.day desc, i.name, c.database_name
limit 200
