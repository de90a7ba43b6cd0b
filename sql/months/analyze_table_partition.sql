-- Let the planner know what is in a month, right after much was written into it: autovacuum comes later, and plans made without it take
-- minutes.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
analyze {table_partition}
