-- What could not be read of an instance on a day.
-- Parameters: day, instance_id.
-- Returns: scope, database_name, attribute.
select
    scope,
    database_name,
    attribute
from account_gaps
where
    instance_id = %(instance_id)s
    and account_id is null
    and valid_from <= %(day)s
    and (valid_until is null or valid_until > %(day)s)
