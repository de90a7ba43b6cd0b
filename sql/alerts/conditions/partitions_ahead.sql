-- How many months ahead of a day have table partitions in every table, if these are few; -1: that of the current month is missing. The
-- months of a store are created in its first night.
-- Parameters: table_names (text[]), day, warning_months.
-- Returns: instance_id, database_id (both NULL), occurred_on, figures.
with months as (
    select
        n.table_name,
        substring(pg_get_expr(child.relpartbound, child.oid) from 'FROM \(''(.+)''\) TO')::date as first_day
    from unnest(%(table_names)s::text[]) as n (table_name)
    left join pg_catalog.pg_inherits as i on to_regclass(n.table_name) = i.inhparent and not i.inhdetachpending
    left join pg_catalog.pg_class as child on i.inhrelid = child.oid
),

-- the months from the current one on that follow each other without a hole
runs as (
    select
        w.table_name,
        count(m.first_day) filter (where m.first_day = w.expected) as is_there,
        w.place
    from (
        select
            n.table_name,
            g.place,
            (date_trunc('month', %(day)s::timestamp) + make_interval(months => g.place))::date as expected
        from unnest(%(table_names)s::text[]) as n (table_name)
        cross join generate_series(0, greatest(%(warning_months)s, 1)) as g (place)
    ) as w
    left join months as m on w.table_name = m.table_name and w.expected = m.first_day
    group by w.table_name, w.place
),

ahead as (
    select
        table_name,
        coalesce(min(place) filter (where is_there = 0), max(place) + 1) - 1 as months_ahead
    from runs
    group by table_name
),

least as (
    select
        min(months_ahead) as months_ahead,
        (array_agg(table_name order by months_ahead, table_name))[1] as table_name
    from ahead
)

select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object('months_ahead', l.months_ahead, 'table_name', l.table_name) as figures
from least as l
where
    l.months_ahead < %(warning_months)s
    and exists (select 1 from installation as i where i.created_at::date < %(day)s::date)
