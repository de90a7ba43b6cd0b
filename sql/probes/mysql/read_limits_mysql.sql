-- Whether the session has the limits that were set: a proxy may answer SET itself, or send the next statement to another session.
-- Parameters: statement_milliseconds.
-- Returns: is_read_only, is_limited.
select
    @@session.transaction_read_only as is_read_only,
    @@session.sql_mode = ''
    and @@session.max_execution_time = %(statement_milliseconds)s
    and @@session.information_schema_stats_expiry = 0 as is_limited
