-- Stored sizes of databases, the newest day first.
-- Parameters: first_day, last_day (inclusive), instance_ids, engines, zone, tag_name, tag_value, database_name (NULL for all), after_day,
-- after_id and after_name (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of capacity.listing.StoredSize, in its order.
with recursive fleet as materialized (
    select
        i.instance_id,
        i.name
    from
        selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as i
    where
        %(database_name)s::text is null
        or exists (
            select 1 from database_size_stats as n
            where
                n.instance_id = i.instance_id
                and n.database_name = %(database_name)s::text
                and n.stat_date between %(first_day)s and %(last_day)s
        )
),

-- from the totals, whose days have an index; each day with a size has one
days as (
    select max(n.stat_date) as stat_date
    from instance_size_stats as n
    where
        n.stat_date between %(first_day)s and %(last_day)s
        and (%(after_day)s::date is null or n.stat_date <= %(after_day)s::date)
    union all
    select (
        select max(n.stat_date) from instance_size_stats as n
        where n.stat_date between %(first_day)s and %(last_day)s and n.stat_date < d.stat_date
    )
    from days as d
    where d.stat_date is not null
)

select
    s.instance_id,
    s.name as instance_name,
    s.database_name,
    s.stat_date,
    s.total_bytes,
    s.data_bytes,
    s.log_bytes,
    s.provenance,
    s.method,
    s.collected_at,
    s.session_id
-- day by day and server by server, so that a page reads its own rows and not all those of a day
from (select stat_date from days order by stat_date desc) as d
cross join
    lateral (
        select
            f.name,
            o.*
        from (
            select * from fleet
            where %(after_day)s::date is null or d.stat_date < %(after_day)s::date or instance_id >= %(after_id)s::integer
            order by instance_id
        ) as f
        cross join
            lateral (
                select * from database_size_stats as n
                where
                    n.instance_id = f.instance_id
                    and n.stat_date = d.stat_date
                    -- the planner leaves out the months that these do not name
                    and n.stat_date between %(first_day)s and %(last_day)s
                    and (%(after_day)s::date is null or n.stat_date <= %(after_day)s::date)
                    and (%(database_name)s::text is null or n.database_name = %(database_name)s::text)
                    and (
                        %(after_day)s::date is null
                        or n.stat_date < %(after_day)s::date
                        or (n.instance_id, n.database_name) > (%(after_id)s::integer, %(after_name)s::text)
                    )
                order by n.database_name
                limit %(most)s::bigint + %(skipped)s::bigint
            ) as o
        order by f.instance_id, o.database_name
        limit %(most)s::bigint + %(skipped)s::bigint
    ) as s
order by d.stat_date desc, s.instance_id, s.database_name
limit %(most)s offset %(skipped)s
