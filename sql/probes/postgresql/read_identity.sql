-- The identity of the server: a physical standby has the identifier of its primary, and no two server processes have the same start.
-- Parameters: none.
-- Returns: system_identifier, is_standby, started_at (UTC, with microseconds). Source: pg_control, which every login can read.
select
    system_identifier::pg_catalog.text as system_identifier,
    pg_catalog.pg_is_in_recovery() as is_standby,
    pg_catalog.to_char(
        pg_catalog.timezone('UTC', pg_catalog.pg_postmaster_start_time()), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    ) as started_at
from pg_catalog.pg_control_system()
