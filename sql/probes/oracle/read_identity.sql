-- The identifiers of the database and of the current container (Oracle 12.1 and later), and when the instance started. A physical standby
-- has the identifier of its primary. The nodes of a cluster are one database with several starts, so that none is returned.
-- Parameters: none.
-- Returns: dbid, con_dbid (each PDB has its own), database_role, started_at (NULL in a cluster).
select
    d.dbid,
    d.con_dbid,
    d.database_role,
    case when i.parallel = 'NO' then i.startup_time end as started_at
from sys.v_$database d
cross join sys.v_$instance i
