-- Let the planner know how many assignments end and begin before they are written.
-- Parameters: none.
-- Returns: nothing.
analyze differences
