-- Which days these tables take, read from the catalogue's bounds alone: a part of them that is about to be detached takes none.
-- Parameters: table_names (text[]).
-- Returns: table_name, first_day (inclusive), end_day (exclusive); a part without dates on both sides is left out.
with parts as (
    select
        parent.relname as table_name,
        regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') as bounds
    from pg_catalog.pg_inherits as i
    inner join pg_catalog.pg_class as parent on i.inhparent = parent.oid
    inner join pg_catalog.pg_class as child on i.inhrelid = child.oid
    where
        parent.oid = any(array(select to_regclass(name) from unnest(%(table_names)s::text[]) as name))
        and not i.inhdetachpending
)

select
    table_name,
    greatest(least(bounds[1]::date, '9998-12-30'), '0001-01-01') as first_day,
    least(bounds[2]::date, '9998-12-31') as end_day
from parts
where bounds is not null
