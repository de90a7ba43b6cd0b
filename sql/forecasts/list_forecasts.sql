-- The forecasts that were made on a day, by server, database and horizon; a server comes before its databases.
-- Parameters: day (NULL: the newest that has any), instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all),
-- after_id, after_database and after_horizon (the last row of the page before, or NULL), skipped, most.
-- Returns: the fields of ListedForecast; database_id is 0 and database_name NULL for a server.
select
    f.instance_id,
    i.name as instance_name,
    coalesce(f.database_id, 0) as database_id,
    d.database_name,
    f.made_on,
    f.horizon_days,
    f.made_on + f.horizon_days as target_date,
    f.origin,
    f.model,
    f.state,
    f.base_bytes,
    f.point_bytes,
    f.lower_80_bytes,
    f.upper_80_bytes,
    f.lower_90_bytes,
    f.upper_90_bytes,
    f.matured,
    f.error,
    f.skill
from capacity_forecasts as f
inner join instances as i on f.instance_id = i.instance_id
left join database_activity as d
    on
        f.instance_id = d.instance_id
        and f.database_id = d.database_id
        and f.made_on >= d.active_from
        and (d.active_until is null or f.made_on < d.active_until)
where
    f.made_on = coalesce(%(day)s::date, (select max(n.made_on) from capacity_forecasts as n))
    and f.instance_id in (
        select o.instance_id from selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as o
    )
    and (%(database_name)s::text is null or d.database_name = %(database_name)s::text)
    and (
        %(after_id)s::integer is null
        or (f.instance_id, coalesce(f.database_id, 0), f.horizon_days)
        > (%(after_id)s::integer, %(after_database)s::integer, %(after_horizon)s::integer)
    )
order by f.instance_id, database_id, f.horizon_days
limit %(most)s offset %(skipped)s
