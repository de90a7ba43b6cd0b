-- Let the planner hash what a rule finds: an estimate over the default work_mem makes it search all of it again for every account, which
-- took minutes instead of seconds; and do not compile statements, which takes longer than they do. It ends with the transaction.
-- Parameters: none.
-- Returns: nothing.
select
    set_config('work_mem', '64MB', true),
    set_config('jit', 'off', true)
