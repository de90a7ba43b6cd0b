-- Load the rows of a month in the format of `copy_rows_out`.
-- Parameters: table_partition, columns (identifiers).
-- Returns: nothing.
copy {table_partition} ({columns}) from stdin (format csv, header)
