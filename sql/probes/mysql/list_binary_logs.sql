-- The binary logs and their bytes, in the second column. Needs REPLICATION CLIENT (MariaDB from 10.5: BINLOG MONITOR).
-- Parameters: none.
-- Returns: log_name, file_size, and on MySQL whether it is encrypted.
show binary logs
