-- Create a new month beside its table, without a lock that blocks readers or writers of the table.
-- Parameters: table_partition, table_name (identifiers), composed because DDL takes no parameters.
-- Returns: nothing. A table of that name is an error: it must not be taken over with whatever is in it.
create table {table_partition} (like {table_name} including all)
