-- Sets a deadline for every statement of this session, and the SQL mode of our statements, whatever the server's default is.
-- Parameters: statement_milliseconds.
-- Returns: nothing.
set session sql_mode = '', max_statement_time = %(statement_milliseconds)s / 1000
