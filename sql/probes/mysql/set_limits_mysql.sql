-- Sets a deadline for every statement of this session and the SQL mode of our statements, and turns off the cache of information_schema,
-- which keeps sizes for 24 hours.
-- Parameters: statement_milliseconds.
-- Returns: nothing.
set session sql_mode = '', max_execution_time = %(statement_milliseconds)s, information_schema_stats_expiry = 0
