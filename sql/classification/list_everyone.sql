-- The accounts of an instance of which everybody is a member, on the whole server.
-- Parameters: instance_id.
-- Returns: account_id, account_name.
select
    account_id,
    account_name
from instance_accounts
where instance_id = %(instance_id)s and is_everyone and database_name is null and is_active
