-- The volumes on which files of databases are. A mount point is a volume of its own.
-- Parameters: none.
-- Returns: volume, total_bytes, free_bytes. Source: sys.dm_os_volume_stats, which requires VIEW SERVER STATE (SQL Server 2008 R2 SP1).
select distinct
    v.volume_mount_point as volume,
    v.total_bytes,
    v.available_bytes as free_bytes
from sys.master_files as f
cross apply sys.dm_os_volume_stats(f.database_id, f.file_id) as v
