-- What is missing on these days and why, the newest day first.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value, reason (NULL for all), after_day, after_id
-- and after_name (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.OpenGap, in its order.
select
    g.stat_date,
    g.instance_id,
    i.name as instance_name,
    g.database_name,
    g.reason,
    g.detail,
    g.session_id,
    coalesce(g.database_name, '') as cursor_name
from capacity_gaps as g
inner join instances as i on g.instance_id = i.instance_id
where
    g.closed_by is null
    and g.stat_date between %(first_day)s and %(last_day)s
    and (%(reason)s::text is null or g.reason = %(reason)s::text)
    and g.instance_id in (
        select f.instance_id from selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as f
    )
    and (
        %(after_day)s::date is null
        or g.stat_date < %(after_day)s::date
        or (
            g.stat_date = %(after_day)s::date
            and (g.instance_id, coalesce(g.database_name, '')) > (%(after_id)s::integer, %(after_name)s::text)
        )
    )
order by g.stat_date desc, g.instance_id, cursor_name
limit %(most)s offset %(skipped)s
