-- The role of this server for each of its databases in availability groups.
-- Parameters: none.
-- Returns: name_bytes (UTF-16), role (0 resolving, 1 primary, 2 secondary).
select
    cast(d.name as varbinary(256)) as name_bytes,
    s.role
from sys.databases as d
inner join sys.dm_hadr_availability_replica_states as s on d.replica_id = s.replica_id
where s.is_local = 1
