-- Drop a month that was detached.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
drop table {table_partition}
