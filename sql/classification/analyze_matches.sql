-- Let the planner know how much was matched before it is compared with what is stored.
-- Parameters: none.
-- Returns: nothing.
analyze matches
