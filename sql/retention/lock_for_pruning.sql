-- Keep writers from a month while what it keeps is copied; readers go on.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
lock table {table_partition} in share mode
