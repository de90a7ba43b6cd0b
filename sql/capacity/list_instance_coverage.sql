-- The coverage of instances on these days, the newest day first.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value (NULL for all), after_day and after_id (the
-- last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.InstanceCoverage, in its order.
select
    c.stat_date,
    c.instance_id,
    c.instance_name,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    c.reasons
-- day by day, so that a page reads its own days and not all of them
from (
    select g.day::date as stat_date
    from
        generate_series(
            %(first_day)s::date::timestamp, least(%(last_day)s::date, %(after_day)s::date)::timestamp, interval '1 day'
        ) as g (day)
    order by stat_date desc
) as d
cross join
    lateral (
        select
            o.*,
            f.name as instance_name
        -- the planner leaves out the months that these days do not name
        from coverage_between(%(first_day)s::date, least(%(last_day)s::date, %(after_day)s::date)) as o
        inner join
            selected_instances(
                %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
            ) as f
            on o.instance_id = f.instance_id
        where
            o.stat_date = d.stat_date
            and (%(after_day)s::date is null or o.stat_date < %(after_day)s::date or o.instance_id > %(after_id)s::integer)
        order by o.instance_id
        limit %(most)s::bigint + %(skipped)s::bigint
    ) as c
order by d.stat_date desc, c.instance_id
limit %(most)s offset %(skipped)s
