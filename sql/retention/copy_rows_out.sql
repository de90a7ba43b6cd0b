-- Export all rows of a month.
-- Parameters: table_partition (identifiers).
-- Returns: CSV with a header; NULL is nothing, an empty text is "".
copy {table_partition} to stdout (format csv, header)
