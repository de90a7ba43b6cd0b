-- The privileges that accounts had by themselves on a day.
-- Parameters: day, account_ids (integer[]).
-- Returns: account_id, privilege, scope, database_name, schema_name, object_name, column_name, is_grantable, effect.
select
    account_id,
    privilege,
    scope,
    database_name,
    schema_name,
    object_name,
    column_name,
    is_grantable,
    effect
from account_privilege_versions
where
    account_id = any(%(account_ids)s::integer[])
    and valid_from <= %(day)s
    and (valid_until is null or valid_until > %(day)s)
order by scope, database_name, schema_name, object_name, column_name, privilege
