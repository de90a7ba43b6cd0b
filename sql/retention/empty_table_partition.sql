-- Truncate a month, which frees its disk space. Deleting the daily rows would not, because they lie among rows that are kept.
-- Parameters: table_partition (identifiers).
-- Returns: nothing. From here to the end of the transaction readers of this one month wait.
truncate {table_partition}
