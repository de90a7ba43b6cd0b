-- Tell the planner how much was staged: without, ten thousand accounts would be compared with each other one by one.
-- Parameters: none.
-- Returns: nothing.
analyze staged_accounts, staged_memberships, staged_facts, staged_privileges, staged_reaches, staged_gaps
