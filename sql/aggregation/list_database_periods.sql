-- Periods of databases, the newest first.
-- Parameters: period_type, first_day and last_day (NULL is open), instance_ids, engines, zone, tag_name, tag_value (NULL for all),
-- database_name (NULL for all), after_start, after_id and after_name (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of aggregation.listing.DatabasePeriod, in its order.
with recursive fleet as materialized (
    select
        i.instance_id,
        i.name,
        i.engine
    from
        selected_instances(
            %(instance_ids)s::integer[], %(engines)s::text[], %(zone)s::text, %(tag_name)s::text, %(tag_value)s::text
        ) as i
    where
        %(database_name)s::text is null
        or exists (
            select 1 from database_size_aggregations as n
            where
                n.instance_id = i.instance_id
                and n.database_name = %(database_name)s::text
                and n.period_type = %(period_type)s
                and (%(first_day)s::date is null or n.period_start >= %(first_day)s::date)
                and (%(last_day)s::date is null or n.period_start <= %(last_day)s::date)
        )
),

starts as (
    select max(n.period_start) as period_start
    from database_size_aggregations as n
    where
        n.period_type = %(period_type)s
        and (%(first_day)s::date is null or n.period_start >= %(first_day)s::date)
        and (%(last_day)s::date is null or n.period_start <= %(last_day)s::date)
        and (%(after_start)s::date is null or n.period_start <= %(after_start)s::date)
    union all
    select (
        select max(n.period_start)
        from database_size_aggregations as n
        where
            n.period_type = %(period_type)s
            and (%(first_day)s::date is null or n.period_start >= %(first_day)s::date)
            and (%(last_day)s::date is null or n.period_start <= %(last_day)s::date)
            and n.period_start < s.period_start
    )
    from starts as s
    where s.period_start is not null
)

select
    a.instance_id,
    a.name as instance_name,
    a.engine,
    a.database_name,
    a.period_type,
    a.period_start,
    a.period_end,
    a.avg_bytes,
    a.max_bytes,
    a.min_bytes,
    a.opening_bytes,
    a.closing_bytes,
    a.data_count,
    a.expected_count,
    a.estimated_count,
    a.change_bytes,
    a.change_percent,
    a.is_final,
    a.calculated_at
-- period by period and server by server, so that a page reads its own rows and not all those of a day
from (select period_start from starts order by period_start desc) as s
cross join
    lateral (
        select
            f.name,
            f.engine,
            d.*
        from (
            select * from fleet
            where %(after_start)s::date is null or s.period_start < %(after_start)s::date or instance_id >= %(after_id)s::integer
            order by instance_id
        ) as f
        cross join
            lateral (
                select * from database_size_aggregations as p
                where
                    p.instance_id = f.instance_id
                    and p.period_type = %(period_type)s
                    and p.period_start = s.period_start
                    -- the planner leaves out the months that these do not name
                    and (%(first_day)s::date is null or p.period_start >= %(first_day)s::date)
                    and (%(last_day)s::date is null or p.period_end <= %(last_day)s::date and p.period_start <= %(last_day)s::date)
                    and (%(after_start)s::date is null or p.period_start <= %(after_start)s::date)
                    and (%(database_name)s::text is null or p.database_name = %(database_name)s::text)
                    and (
                        %(after_start)s::date is null
                        or p.period_start < %(after_start)s::date
                        or (p.instance_id, p.database_name) > (%(after_id)s::integer, %(after_name)s::text)
                    )
                order by p.database_name
                limit %(most)s::bigint + %(skipped)s::bigint
            ) as d
        order by f.instance_id, d.database_name
        limit %(most)s::bigint + %(skipped)s::bigint
    ) as a
order by s.period_start desc, a.instance_id, a.database_name
limit %(most)s offset %(skipped)s
