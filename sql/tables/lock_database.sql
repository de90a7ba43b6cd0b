-- Tables of one database are written by one transaction at a time.
-- Parameters: instance_id, database_name.
-- Returns: nothing of use.
select pg_advisory_xact_lock(740051, hashtext(%(instance_id)s::text || '/' || %(database_name)s))
