-- The newest stored size of each database of the inventory within these days.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all), after_id and
-- after_name (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.StoredSize, in its order.
select
    d.instance_id,
    i.name as instance_name,
    d.database_name,
    s.stat_date,
    s.total_bytes,
    s.data_bytes,
    s.log_bytes,
    s.provenance,
    s.method,
    s.collected_at,
    s.session_id
from instance_databases as d
inner join instances as i on d.instance_id = i.instance_id
cross join
    lateral (
        select * from database_size_stats as n
        where
            n.instance_id = d.instance_id
            and n.database_name = d.database_name
            and n.stat_date between %(first_day)s and %(last_day)s
        order by n.stat_date desc
        limit 1
    ) as s
where
    d.is_active
    and d.instance_id in (
        select f.instance_id from selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as f
    )
    and (%(database_name)s::text is null or d.database_name = %(database_name)s::text)
    and (
        %(after_id)s::integer is null
        or (d.instance_id, d.database_name) > (%(after_id)s::integer, %(after_name)s::text)
    )
order by d.instance_id, d.database_name
limit %(most)s offset %(skipped)s
