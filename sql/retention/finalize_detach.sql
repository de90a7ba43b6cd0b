-- Finish an interrupted detach.
-- Parameters: table_name, table_partition (identifiers).
-- Returns: nothing.
alter table {table_name} detach partition {table_partition} finalize
