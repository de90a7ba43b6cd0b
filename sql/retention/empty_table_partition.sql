-- Give all of a month's room back to the disk, which deleting its days one by one would not: they lie among what stays.
-- Parameters: table_partition (identifiers).
-- Returns: nothing. From here to the end of the transaction readers of this one month wait.
truncate {table_partition}
