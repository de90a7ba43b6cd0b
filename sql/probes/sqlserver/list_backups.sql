-- The size of every file at the start of each full and differential backup (file_size; backup_size is the size of the backup). Only backups
-- made on this server: a restore also brings the backup history of the other server. Backup sets are omitted if a file or its size is
-- missing, if they include a container (type S), whose length is not its space, or if their time zone is unknown (127): a partial size is
-- worse than none. Log backups are omitted, because they do not record the size of data files. A defunct file (state 7) takes no space.
-- Parameters: begins_at, ends_at (instants in UTC without a zone; ends_at is not included).
-- Returns: name_bytes (UTF-16), began_at (UTC), data_bytes, log_bytes, is_replica (1 for databases in an availability group, whose other
-- replicas have their own backup histories). Source: msdb.dbo.backupset and backupfile, sys.databases (found by db_id, because names of
-- two databases cannot be compared if their collations differ).
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
