-- The parts of these tables, in whatever schema, read from the catalogue's bounds and not from names.
-- Parameters: table_names (text[]).
-- Returns: table_name, schema_name, name, is_detach_pending, first_day (inclusive), end_day (exclusive; NULL: open, or beyond the dates
-- that Python knows), total_bytes with indexes, rows (the planner's estimate, NULL when never analyzed), is_plain.
with children as (
    select
        parent.relname as table_name,
        space.nspname as schema_name,
        child.relname as name,
        i.inhdetachpending as is_detach_pending,
        substring(pg_get_expr(child.relpartbound, child.oid) from 'FROM \(''(.+)''\) TO')::date as first_day,
        substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \(''(.+)''\)')::date as end_day,
        coalesce(pg_total_relation_size(child.oid), 0) as total_bytes,
        case when child.reltuples >= 0 then child.reltuples::bigint end as rows,
        child.relkind = 'r' as is_plain
    from pg_catalog.pg_inherits as i
    inner join pg_catalog.pg_class as parent on i.inhparent = parent.oid
    inner join pg_catalog.pg_class as child on i.inhrelid = child.oid
    inner join pg_catalog.pg_namespace as space on child.relnamespace = space.oid
    where parent.oid = any(array(select to_regclass(name) from unnest(%(table_names)s::text[]) as name))
)

select
    table_name,
    schema_name,
    name,
    is_detach_pending,
    case when first_day >= '0001-01-01' then least(first_day, '9998-12-31') end as first_day,
    case when end_day <= '9998-12-31' then greatest(end_day, '0001-01-01') end as end_day,
    total_bytes,
    rows,
    is_plain
from children
order by table_name, first_day nulls first, name
