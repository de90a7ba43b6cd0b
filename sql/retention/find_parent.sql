-- Whether a table is a part of another one.
-- Parameters: schema_name, name.
-- Returns: one row with the other one's name if it is.
select i.inhparent::regclass::text as parent
from pg_catalog.pg_inherits as i
inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where n.nspname = %(schema_name)s and c.relname = %(name)s
