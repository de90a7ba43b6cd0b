-- Let one transaction at a time write the days of an instance.
-- Parameters: instance_id.
-- Returns: one row, void. The first number is arbitrary and ours alone.
select pg_advisory_xact_lock(740031, %(instance_id)s)
