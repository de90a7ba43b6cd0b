-- Bytes on the server's disk that belong to no database: shared catalogues, WAL, temporary files, files of replication slots, and server
-- logs in the data directory. Transaction status (pg_xact, pg_multixact and similar) is not included: no monitoring role can read it.
-- Parameters: none.
-- Returns: shared_bytes. Source: functions for members of pg_monitor; the folder of the logs exists only while the logging collector runs.
select pg_catalog.sum(part.size) as shared_bytes
from (
    select pg_catalog.pg_tablespace_size('pg_global') as size
    union all
    select wal.size from pg_catalog.pg_ls_waldir() as wal
    union all
    select archived.size from pg_catalog.pg_ls_archive_statusdir() as archived
    union all
    select temporary.size
    from pg_catalog.pg_tablespace as tablespace
    cross join lateral pg_catalog.pg_ls_tmpdir(tablespace.oid) as temporary
    where tablespace.spcname operator(pg_catalog.<>) 'pg_global'
    union all
    select snapshot.size from pg_catalog.pg_ls_logicalsnapdir() as snapshot
    union all
    select mapping.size from pg_catalog.pg_ls_logicalmapdir() as mapping
    union all
    select kept.size
    from pg_catalog.pg_replication_slots as slot
    cross join lateral pg_catalog.pg_ls_replslotdir(slot.slot_name) as kept
    union all
    select log.size
    from pg_catalog.pg_ls_logdir() as log
    where
        pg_catalog.current_setting('logging_collector') operator(pg_catalog.=) 'on'
        and (
            pg_catalog.left(pg_catalog.current_setting('log_directory'), 1) operator(pg_catalog.<>) all(array['/', '.'])
            or pg_catalog.starts_with(
                pg_catalog.current_setting('log_directory'),
                pg_catalog.current_setting('data_directory') operator(pg_catalog.||) '/'
            )
        )
) as part
