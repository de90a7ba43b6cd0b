-- Lock a month against writers while its kept rows are copied; readers are not blocked.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
lock table {table_partition} in share mode
