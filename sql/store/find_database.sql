-- Tell whether a database exists on the store's server.
-- Parameters: database (text).
-- Returns: one row if it does.
select 1
from pg_catalog.pg_database
where datname = %(database)s
