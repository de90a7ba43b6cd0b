-- Copies rows out as JSON, one object a line. The delimiter and the quote never occur in JSON, so that COPY leaves the lines as they are.
-- Parameters: line (the text of a row), rows (a statement that returns the rows).
-- Returns: the lines.
copy (select {line} from ({rows}) as exported) to stdout (format csv, header false, quote e'\x01', delimiter e'\x02')  -- noqa: AL05
