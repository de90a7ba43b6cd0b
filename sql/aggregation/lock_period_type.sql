-- Let one program at a time write the periods of a type, so that the one that began last also sees the newest days.
-- Parameters: period_type.
-- Returns: one row, void. The first number is arbitrary and ours alone.
select pg_advisory_xact_lock(740032, hashtext(%(period_type)s))
