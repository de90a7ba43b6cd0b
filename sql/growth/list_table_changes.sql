-- The tables behind the change of databases: between the newest days, at most at the first and at the last day, on which their tables were
-- read. Tables that one of these days does not have are new or gone; nothing is called so where it may only have been missing.
-- Parameters: instance_ids (integer[]), database_names (text[], one for each), first_day, last_day, most (tables of each database).
-- Returns: instance_id, database_name, first_read, last_read (days), whole_change (bytes, of all tables and what is none), schema_name,
-- table_name (NULL: nothing changed), change_bytes, is_new, is_gone.
with wanted as (
    select
        w.instance_id,
        w.database_name,
        a.stat_date as first_read,
        a.total_bytes as first_bytes,
        a.missing = '[]' and a.smaller_tables = 0 as was_whole,
        b.stat_date as last_read,
        b.total_bytes as last_bytes,
        b.missing = '[]' and b.smaller_tables = 0 as is_whole
    from unnest(%(instance_ids)s::integer[], %(database_names)s::text[]) as w (instance_id, database_name)
    cross join
        lateral (
            select o.* from table_size_observations as o
            where
                o.instance_id = w.instance_id and o.database_name = w.database_name and o.stat_date <= %(first_day)s and o.reason is null
            order by o.stat_date desc
            limit 1
        ) as a
    cross join lateral (
        select o.* from table_size_observations as o
        where
            o.instance_id = w.instance_id
            and o.database_name = w.database_name
            and o.stat_date > a.stat_date
            and o.stat_date <= %(last_day)s
            and o.reason is null
        order by o.stat_date desc
        limit 1
    ) as b
),

before as (
    select
        w.instance_id,
        w.database_name,
        s.schema_name,
        s.table_name,
        s.total_bytes
    from wanted as w
    inner join table_sizes as s on w.instance_id = s.instance_id and w.database_name = s.database_name and w.first_read = s.stat_date
    where s.partition_name = '' and s.table_name <> ''
),

after as (
    select
        w.instance_id,
        w.database_name,
        s.schema_name,
        s.table_name,
        s.total_bytes
    from wanted as w
    inner join table_sizes as s on w.instance_id = s.instance_id and w.database_name = s.database_name and w.last_read = s.stat_date
    where s.partition_name = '' and s.table_name <> ''
),

changed as (
    select
        coalesce(b.instance_id, a.instance_id) as instance_id,
        coalesce(b.database_name, a.database_name) as database_name,
        coalesce(b.schema_name, a.schema_name) as schema_name,
        coalesce(b.table_name, a.table_name) as table_name,
        coalesce(b.total_bytes, 0) - coalesce(a.total_bytes, 0) as change_bytes,
        a.table_name is null as is_new,
        b.table_name is null as is_gone
    from before as a
    full join after as b
        on
            a.instance_id = b.instance_id
            and a.database_name = b.database_name
            and a.schema_name = b.schema_name
            and a.table_name = b.table_name
),

ranked as (
    select
        c.*,
        row_number() over (
            partition by c.instance_id, c.database_name order by abs(c.change_bytes) desc, c.schema_name, c.table_name
        ) as place
    from changed as c
    inner join wanted as w on c.instance_id = w.instance_id and c.database_name = w.database_name
    where c.change_bytes <> 0 and (not c.is_new or w.was_whole) and (not c.is_gone or w.is_whole)
)

select
    w.instance_id,
    w.database_name,
    w.first_read,
    w.last_read,
    w.last_bytes - w.first_bytes as whole_change,
    r.schema_name,
    r.table_name,
    r.change_bytes,
    r.is_new,
    r.is_gone
from wanted as w
left join ranked as r on w.instance_id = r.instance_id and w.database_name = r.database_name and r.place <= %(most)s
order by w.instance_id, w.database_name, r.place
