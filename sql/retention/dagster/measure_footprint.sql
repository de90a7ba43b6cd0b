-- The disk usage of Dagster's database.
-- Parameters: none. It runs in Dagster's database.
-- Returns: total_bytes.
select pg_database_size(current_database()) as total_bytes
