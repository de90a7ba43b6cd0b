-- What the server is, who we are, and which of the rights that a visit needs we hold (1, 0, or NULL where the object cannot be seen).
-- Parameters: none.
-- Returns: product_version, quoted_login, sees_databases, sees_files, connects_anywhere, reads_backup_sets, reads_backup_files,
-- sees_replicas, has_groups.
select
    cast(serverproperty('ProductVersion') as nvarchar(128)) as product_version,
    quotename(original_login()) as quoted_login,
    has_perms_by_name(null, null, 'VIEW ANY DATABASE') as sees_databases,
    has_perms_by_name(null, null, 'VIEW ANY DEFINITION') as sees_files,
    has_perms_by_name(null, null, 'CONNECT ANY DATABASE') as connects_anywhere,
    has_perms_by_name('msdb.dbo.backupset', 'OBJECT', 'SELECT') as reads_backup_sets,
    has_perms_by_name('msdb.dbo.backupfile', 'OBJECT', 'SELECT') as reads_backup_files,
    has_perms_by_name(null, null, 'VIEW SERVER STATE') as sees_replicas,
    cast(serverproperty('IsHadrEnabled') as int) as has_groups
