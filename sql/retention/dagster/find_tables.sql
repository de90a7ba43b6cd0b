-- Whether Dagster ever made its tables here: before its first start there is nothing to delete.
-- Parameters: none. It runs in Dagster's database.
-- Returns: one row where it did.
select 1 as is_there
where to_regclass('runs') is not null and to_regclass('event_logs') is not null and to_regclass('kvs') is not null
