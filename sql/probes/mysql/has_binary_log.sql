-- Whether the server keeps binary logs.
-- Parameters: none.
-- Returns: has_binary_log.
select @@global.log_bin as has_binary_log
