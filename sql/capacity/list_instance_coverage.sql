-- The coverage of instances on these days, the newest day first.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value (NULL for all), after_day and after_id (the
-- last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.InstanceCoverage, in its order.
select
    c.stat_date,
    c.instance_id,
    i.name as instance_name,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    c.reasons
from capacity_coverage as c
inner join instances as i on c.instance_id = i.instance_id
where
    c.stat_date between %(first_day)s and %(last_day)s
    and c.instance_id in (
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
    and (
        %(after_day)s::date is null
        or c.stat_date < %(after_day)s::date
        or (c.stat_date = %(after_day)s::date and c.instance_id > %(after_id)s::integer)
    )
order by c.stat_date desc, c.instance_id
limit %(most)s offset %(skipped)s
