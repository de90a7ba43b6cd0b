-- Tables that are no part of their table: those that an interrupted upkeep left (by its mark), and those that have the name of a month.
-- Parameters: table_names (text[]).
-- Returns: table_name, schema_name, name, first_day, end_day (as marked; NULL: not ours, and only in the way), total_bytes, rows, is_plain.
select
    parent.relname as table_name,
    space.nspname as schema_name,
    child.relname as name,
    mark[2]::date as first_day,
    mark[3]::date as end_day,
    coalesce(pg_total_relation_size(child.oid), 0) as total_bytes,
    case when child.reltuples >= 0 then child.reltuples::bigint end as rows,
    child.relkind = 'r' as is_plain
from pg_catalog.pg_class as parent
cross join pg_catalog.pg_class as child
inner join pg_catalog.pg_namespace as space on child.relnamespace = space.oid
left join lateral regexp_match(
    obj_description(child.oid, 'pg_class'), '^whalefall expires (\w+) from (\d\d\d\d-\d\d-\d\d) to (\d\d\d\d-\d\d-\d\d)$'
) as mark on mark[1] = parent.relname
where
    parent.oid = any(array(select to_regclass(name) from unnest(%(table_names)s::text[]) as name))
    and not exists (select 1 from pg_catalog.pg_inherits as i where i.inhrelid = child.oid and i.inhparent = parent.oid)
    and (
        mark[1] is not null and child.relkind = 'r'
        or child.relnamespace = parent.relnamespace and child.relname ~ ('^' || parent.relname || '_\d\d\d\d_\d\d$')
    )
