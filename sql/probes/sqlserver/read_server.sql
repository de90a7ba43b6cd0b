-- The server, our login, and which privileges of a probe the login has (1, 0, or NULL if the object is invisible). The start of the server
-- is the creation of tempdb, which every login sees without a privilege. Amazon RDS is recognized by a database that only it has.
-- Parameters: none.
-- Returns: one row, whose columns are the fields of Server in fleet/sqlserver/privileges.py.
select
    cast(serverproperty('ProductVersion') as nvarchar(128)) as product_version,
    cast(serverproperty('ServerName') as nvarchar(128)) as server_name,
    cast(m.service_broker_guid as nvarchar(36)) as msdb_identifier,
    t.create_date as started_at,
    quotename(original_login()) as quoted_login,
    has_perms_by_name(null, null, 'VIEW ANY DATABASE') as sees_databases,
    has_perms_by_name(null, null, 'VIEW ANY DEFINITION') as sees_files,
    has_perms_by_name(null, null, 'CONNECT ANY DATABASE') as connects_anywhere,
    has_perms_by_name('msdb.dbo.backupset', 'OBJECT', 'SELECT') as reads_backup_sets,
    has_perms_by_name('msdb.dbo.backupfile', 'OBJECT', 'SELECT') as reads_backup_files,
    has_perms_by_name(null, null, 'VIEW SERVER STATE') as sees_state,
    cast(serverproperty('IsHadrEnabled') as int) as has_groups,
    case when db_id('rdsadmin') is null then 0 else 1 end as is_on_rds
from sys.databases as t
left outer join sys.databases as m on m.name = 'msdb'
where t.name = 'tempdb'
