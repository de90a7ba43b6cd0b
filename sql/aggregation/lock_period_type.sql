-- Let one program at a time write the periods of a type, so that the one that began last also sees the newest days; and give it the memory
-- to group the databases of a large fleet without files.
-- Parameters: period_type.
-- Returns: work_mem, void. The first number is arbitrary and ours alone.
select
    set_config('work_mem', '64MB', true) as work_mem,
    pg_advisory_xact_lock(740032, hashtext(%(period_type)s))
