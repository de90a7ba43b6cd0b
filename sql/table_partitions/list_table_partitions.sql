-- The months that exist, read from the catalogue's bounds and not from names.
-- Parameters: table_names (text[]).
-- Returns: table_name, first_day (inclusive), end_day (exclusive). Source: pg_inherits, pg_class.relpartbound.
select
    parent.relname as table_name,
    bounds[1]::date as first_day,
    bounds[2]::date as end_day
from pg_catalog.pg_inherits as i
inner join pg_catalog.pg_class as parent on i.inhparent = parent.oid
inner join pg_catalog.pg_class as child on i.inhrelid = child.oid
cross join lateral regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') as bounds
where parent.oid = any(array(select to_regclass(name) from unnest(%(table_names)s::text[]) as name))
