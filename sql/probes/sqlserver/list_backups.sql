-- What full and differential backups say of the length of every file when they began (file_size; backup_size is that of the backup).
-- Only backups made here: a restore brings along the history of the server that it came from. Sets without a file or its length, that
-- have a container (type S), whose length is not its space, or that have no time zone (127) are left out: half a size is none. So are
-- log backups, which do not promise the length of the data files. A defunct file (state 7) takes no space.
-- Parameters: begins_at, ends_at (instants in UTC without a zone; ends_at is not included).
-- Returns: name_bytes (UTF-16), began_at (UTC), data_bytes, log_bytes, is_replica (1 for what is in an availability group now, whose other
-- replicas keep histories of their own). Source: msdb.dbo.backupset and backupfile, sys.databases (found by db_id, as names of two
-- databases cannot be compared where their collations differ).
select
    cast(s.database_name as varbinary(256)) as name_bytes,
    dateadd(minute, -15 * s.time_zone, s.backup_start_date) as began_at,
    cast(sum(case when f.file_type = 'D' then f.file_size end) as bigint) as data_bytes,
    cast(sum(case when f.file_type = 'L' then f.file_size end) as bigint) as log_bytes,
    max(case when d.replica_id is null then 0 else 1 end) as is_replica
from msdb.dbo.backupset as s
inner join msdb.dbo.backupfile as f on s.backup_set_id = f.backup_set_id and f.state <> 7
left outer join sys.databases as d on d.database_id = db_id(s.database_name)
where
    s.type in ('D', 'I')
    and s.time_zone <> 127
    and s.server_name = cast(serverproperty('ServerName') as nvarchar(128))
    and dateadd(minute, -15 * s.time_zone, s.backup_start_date) >= %(begins_at)s
    and dateadd(minute, -15 * s.time_zone, s.backup_start_date) < %(ends_at)s
group by s.backup_set_id, s.database_name, s.time_zone, s.backup_start_date
having
    sum(case when f.is_present = 1 and f.file_size is not null and f.file_type in ('D', 'L') then 0 else 1 end) = 0
    and count(distinct f.file_type) = 2
