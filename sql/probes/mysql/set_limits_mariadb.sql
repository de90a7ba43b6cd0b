-- A deadline for every statement of this session, and SQL as we write it whatever the server's default mode.
-- Parameters: statement_milliseconds.
-- Returns: nothing.
set session sql_mode = '', max_statement_time = %(statement_milliseconds)s / 1000
