-- Bytes on the server's disk that belong to no database: shared catalogues, WAL, temporary files, files of replication slots, and server
-- logs in the data directory. Transaction status (pg_xact, pg_multixact and similar) is not included: no monitoring role can read it.
-- Parameters: none.
-- Returns: part (global, wal, temporary_files, replication, server_logs), total_bytes.
-- Source: functions for members of pg_monitor; the folder of the logs exists only while the logging collector runs.
select
    kind.part,
    coalesce(pg_catalog.sum(file.size), 0) as total_bytes
from (values ('global'), ('wal'), ('temporary_files'), ('replication'), ('server_logs')) as kind (part)
left join (
    select
        'global' as part,
        pg_catalog.pg_tablespace_size('pg_global') as size
    union all
    select
        'wal' as part,
        wal.size
    from pg_catalog.pg_ls_waldir() as wal
    union all
    select
        'wal' as part,
        archived.size
    from pg_catalog.pg_ls_archive_statusdir() as archived
    union all
    select
        'temporary_files' as part,
        temporary.size
    from pg_catalog.pg_tablespace as tablespace
    cross join lateral pg_catalog.pg_ls_tmpdir(tablespace.oid) as temporary
    where tablespace.spcname operator(pg_catalog.<>) 'pg_global'
    union all
    select
        'replication' as part,
        snapshot.size
    from pg_catalog.pg_ls_logicalsnapdir() as snapshot
    union all
    select
        'replication' as part,
        mapping.size
    from pg_catalog.pg_ls_logicalmapdir() as mapping
    union all
    select
        'replication' as part,
        kept.size
    from pg_catalog.pg_replication_slots as slot
    cross join lateral pg_catalog.pg_ls_replslotdir(slot.slot_name) as kept
    union all
    select
        'server_logs' as part,
        log.size
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
) as file on kind.part operator(pg_catalog.=) file.part
group by kind.part
