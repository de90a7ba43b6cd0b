-- What the store knows of the databases of some instances.
-- Parameters: instance_ids (integer[]).
-- Returns: instance_id, database_name, is_active, absent_since_date, native_id.
select
    instance_id,
    database_name,
    is_active,
    absent_since_date,
    native_id
from instance_databases
where instance_id = any(%(instance_ids)s::integer[])
