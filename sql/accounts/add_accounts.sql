-- Accounts that are new: unknown until now, or another account under a known name.
-- Parameters: instance_id, day; staged_accounts has no account_id of them.
-- Returns: nothing.
insert into instance_accounts (
    instance_id, account_name, native_id, account_kind, is_built_in, is_everyone, database_name, last_login_at, first_seen_date
)
select
    %(instance_id)s,
    account_name,
    native_id,
    account_kind,
    is_built_in,
    is_everyone,
    database_name,
    last_login_at,
    %(day)s
from staged_accounts
where account_id is null
order by account_name
