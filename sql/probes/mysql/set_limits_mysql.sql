-- A deadline for every statement of this session, SQL as we write it, and sizes of now: information_schema caches them for 24 hours.
-- Parameters: statement_milliseconds.
-- Returns: nothing.
set session sql_mode = '', max_execution_time = %(statement_milliseconds)s, information_schema_stats_expiry = 0
