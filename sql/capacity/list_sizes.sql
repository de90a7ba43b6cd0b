-- Stored sizes of databases, the newest day first.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all), after_day,
-- after_id and after_name (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.StoredSize, in its order.
select
    s.instance_id,
    i.name as instance_name,
    s.database_name,
    s.stat_date,
    s.total_bytes,
    s.data_bytes,
    s.log_bytes,
    s.provenance,
    s.method,
    s.collected_at,
    s.session_id
from database_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date between %(first_day)s and %(last_day)s
    and s.instance_id in (
        select f.instance_id from instances as f
        where
            f.deleted_at is null
            and (%(instance_ids)s::integer[] is null or f.instance_id = any(%(instance_ids)s::integer[]))
            and (%(engines)s::text[] is null or f.engine = any(%(engines)s::text[]))
            and (%(zone)s::text is null or coalesce(f.zone, 'centre') = %(zone)s::text)
            and (
                %(tag_name)s::text is null
                or f.tags ->> %(tag_name)s::text = coalesce(%(tag_value)s::text, f.tags ->> %(tag_name)s::text)
            )
    )
    and (%(database_name)s::text is null or s.database_name = %(database_name)s::text)
    -- the first comparison lets the planner leave out the months after the page
    and (
        %(after_day)s::date is null
        or s.stat_date <= %(after_day)s::date
        and (s.stat_date < %(after_day)s::date or (s.instance_id, s.database_name) > (%(after_id)s::integer, %(after_name)s::text))
    )
order by s.stat_date desc, s.instance_id, s.database_name
limit %(most)s offset %(skipped)s
