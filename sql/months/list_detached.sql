-- Tables that are no part of their table: those that an interrupted maintenance left (by its mark), and those with the name of a month.
-- Parameters: table_names (text[]).
-- Returns: table_name, schema_name, name, first_day, end_day (as marked; NULL: not ours, and only in the way), total_bytes, rows, is_plain.
with marks as (
    select
        objoid,
        regexp_match(description, '^whalefall detaches (\w+) from (\d\d\d\d-\d\d-\d\d) to (\d\d\d\d-\d\d-\d\d)$') as mark
    from pg_catalog.pg_description
    where classoid = 'pg_catalog.pg_class'::regclass and objsubid = 0 and description like 'whalefall detaches %%'
),

named as (
    select
        child.*,
        m.mark,
        coalesce(m.mark[1], substring(child.relname from '^(.+)_\d\d\d\d_\d\d$')) as table_name
    from pg_catalog.pg_class as child
    left join marks as m on child.oid = m.objoid and child.relkind = 'r'
)

select
    n.table_name,
    space.nspname as schema_name,
    n.relname as name,
    n.mark[2]::date as first_day,
    n.mark[3]::date as end_day,
    coalesce(pg_total_relation_size(n.oid), 0) as total_bytes,
    case when n.reltuples >= 0 then n.reltuples::bigint end as rows,
    n.relkind = 'r' as is_plain
from named as n
inner join pg_catalog.pg_class as parent on n.table_name = parent.relname
inner join pg_catalog.pg_namespace as space on n.relnamespace = space.oid
where
    parent.oid = any(array(select to_regclass(name) from unnest(%(table_names)s::text[]) as name))
    and (n.mark is not null or n.relnamespace = parent.relnamespace)
    and not exists (select 1 from pg_catalog.pg_inherits as i where i.inhrelid = n.oid and i.inhparent = parent.oid)
order by n.table_name, first_day nulls first, n.relname
