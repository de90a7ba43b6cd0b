-- The time zone of this database by itself, which is that of every client that asks for none: the session's own is no evidence.
-- Parameters: none.
-- Returns: timezone, no row when the database has none of its own.
select substring(setting from '^[^=]+=(.*)$') as timezone
from pg_catalog.pg_db_role_setting as s
inner join pg_catalog.pg_database as d on s.setdatabase = d.oid
cross join unnest(s.setconfig) as setting
where d.datname = current_database() and s.setrole = 0 and setting ilike 'timezone=%'
