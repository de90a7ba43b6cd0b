-- Attach the new month to its table.
-- Parameters: table_name, table_partition (identifiers), first_day, end_day (literals, end exclusive).
-- Returns: nothing.
alter table {table_name} attach partition {table_partition} for values from ({first_day}) to ({end_day})
