-- Lock a detached month until it is dropped, so that nobody attaches it again in between.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
lock table {table_partition} in access exclusive mode
