-- The part that this server plays for its databases that are in availability groups.
-- Parameters: none.
-- Returns: database_name, role (0 resolving, 1 primary, 2 secondary).
select
    d.name as database_name,
    s.role
from sys.databases as d
inner join sys.dm_hadr_availability_replica_states as s on d.replica_id = s.replica_id
where s.is_local = 1
