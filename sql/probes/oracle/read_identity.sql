-- Which database and which container this is (Oracle 12.1 and later), and since when its process runs. A physical standby has the
-- identifier of its primary. Nodes of a cluster are one database, and have starts of their own: there is none to tell then.
-- Parameters: none.
-- Returns: dbid, con_dbid (its own of each PDB), database_role, started_at (NULL in a cluster).
select
    d.dbid,
    d.con_dbid,
    d.database_role,
    case when i.parallel = 'NO' then i.startup_time end as started_at
from sys.v_$database d
cross join sys.v_$instance i
