-- Let the planner know how many accounts are staged: it must neither scan all facts for one instance nor look up each for all.
-- Parameters: none.
-- Returns: nothing.
analyze classified_accounts, classified_gaps, nested_memberships
