-- The accounts that are known of an instance: those that are active, and of each other name the one that was seen last.
-- Parameters: instance_id.
-- Returns: account_id, account_name, is_active, absent_since_date, native_id, database_name.
select distinct on (account_name)
    account_id,
    account_name,
    is_active,
    absent_since_date,
    native_id,
    database_name
from instance_accounts
where instance_id = %(instance_id)s
order by account_name asc, is_active desc, last_seen_date desc
