-- A temporary table like the month, into which an archive is read back before the month is dropped.
-- Parameters: table_partition (identifiers).
-- Returns: nothing.
create temporary table archive_check (like {table_partition}) on commit drop
