-- Whether the session has the limits that were set: a proxy may answer SET itself, or send the next statement to another session.
-- Parameters: statement_milliseconds.
-- Returns: is_read_only, is_limited.
select
    @@session.tx_read_only as is_read_only,
    @@session.sql_mode = '' and abs(@@session.max_statement_time - %(statement_milliseconds)s / 1000) < 0.001 as is_limited
