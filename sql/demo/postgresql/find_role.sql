-- Tell whether a demo server has the monitoring login already.
-- Parameters: role (text).
-- Returns: one row if it does.
select 1
from pg_catalog.pg_roles
where rolname = %(role)s
