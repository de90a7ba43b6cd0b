-- The columns of a table in their order.
-- Parameters: table_name.
-- Returns: name, type_name such as numeric(12,2).
select
    attname as name,
    format_type(atttypid, atttypmod) as type_name
from pg_catalog.pg_attribute
where attrelid = to_regclass(%(table_name)s) and attnum > 0 and not attisdropped
order by attnum
