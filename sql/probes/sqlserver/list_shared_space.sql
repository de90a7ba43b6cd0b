-- Bytes on the server's disk that belong to no listed database: the sparse files of snapshots with their size on disk, and the hidden
-- resource database. tempdb is a database of its own. Error logs, traces and backups are not data of the server.
-- Parameters: none.
-- Returns: part (snapshots, resource_database), total_bytes. Source: sys.dm_io_virtual_file_stats, which requires VIEW SERVER STATE; every
-- database must be visible.
select
    case when d.database_id is null then 'resource_database' else 'snapshots' end as part,
    sum(s.size_on_disk_bytes) as total_bytes
from sys.dm_io_virtual_file_stats(null, null) as s
left outer join sys.databases as d on s.database_id = d.database_id
where d.database_id is null or d.source_database_id is not null
group by case when d.database_id is null then 'resource_database' else 'snapshots' end
