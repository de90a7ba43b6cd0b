-- Count the rows of a month exactly, by reading them all.
-- Parameters: table_partition (identifiers).
-- Returns: rows.
select count(*) as rows from {table_partition}
