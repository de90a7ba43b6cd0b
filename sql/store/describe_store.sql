-- The figures that `whalefall store status` shows for a running store.
-- Parameters: dagster_database (text; null when it is on another server).
-- Returns: server_version (text), whalefall_bytes, dagster_bytes (bigint; null when there is none or it may not be measured).
select
    current_setting('server_version') as server_version,
    pg_database_size(current_database()) as whalefall_bytes,
    (
        select pg_database_size(oid)
        from pg_catalog.pg_database
        where
            datname = %(dagster_database)s
            and has_database_privilege(oid, 'CONNECT')
    ) as dagster_bytes
