-- A new month beside its table; it holds no lock that readers or writers of the table would wait for.
-- Parameters: table_partition, table_name (identifiers), composed because DDL takes no parameters.
-- Returns: nothing.
create table if not exists {table_partition} (like {table_name} including all)
