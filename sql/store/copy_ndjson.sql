-- Copies rows out as JSON, one object a line. The delimiter and the quote never occur in JSON, so that COPY leaves the lines as they are.
-- Parameters: rows (a statement that returns them).
-- Returns: the lines.
copy (select row_to_json(exported) from ({rows}) as exported) to stdout (format csv, header false, quote e'\x01', delimiter e'\x02')
