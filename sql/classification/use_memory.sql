-- Let the planner hash what a rule finds: an estimate over the default work_mem makes it search all of it again for every account, which
-- took minutes instead of seconds. Of what is estimated only a small part is used. It ends with the transaction.
-- Parameters: none.
-- Returns: nothing.
select set_config('work_mem', '256MB', true)
