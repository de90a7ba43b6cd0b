-- Copies rows out as CSV with a header.
-- Parameters: rows (a statement that returns them).
-- Returns: the rows.
copy ({rows}) to stdout (format csv, header true)
