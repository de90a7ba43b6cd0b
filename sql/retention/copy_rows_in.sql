-- Take the rows of a month in, as `copy_rows_out` gives them.
-- Parameters: table_partition, columns (identifiers).
-- Returns: nothing.
copy {table_partition} ({columns}) from stdin (format csv, header)
