-- Tell whether a demo server has this database already.
-- Parameters: database (text).
-- Returns: one row if it does.
select 1
from pg_catalog.pg_database
where datname = %(database)s
