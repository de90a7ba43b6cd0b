-- What the store knows of an instance's databases.
-- Parameters: instance_id.
-- Returns: database_name, is_active, absent_since_date.
select
    database_name,
    is_active,
    absent_since_date
from instance_databases
where instance_id = %(instance_id)s
