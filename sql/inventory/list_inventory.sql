-- What the store knows of an instance's databases.
-- Parameters: instance_id.
-- Returns: database_name, is_active, absent_since_date, native_id.
select
    database_name,
    is_active,
    absent_since_date,
    native_id
from instance_databases
where instance_id = %(instance_id)s
