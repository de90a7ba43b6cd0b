-- The binary logs with their size in the second column. Requires REPLICATION CLIENT (MariaDB from 10.5: BINLOG MONITOR).
-- Parameters: none.
-- Returns: log_name, file_size in bytes, and on MySQL whether it is encrypted.
show binary logs
