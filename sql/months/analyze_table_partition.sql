-- Update the planner's statistics of a month after a large write. Autovacuum runs later, and plans without statistics take minutes.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
analyze {table_partition}
