-- Accounts that are no longer listed, and accounts that the guard keeps although they are not.
-- Parameters: ended, held (integer[] of account ids), day, last_day (of the observation before; NULL: none).
-- Returns: nothing.
update instance_accounts
set
    is_active = account_id = any(%(held)s::integer[]),
    deleted_at = case when account_id = any(%(ended)s::integer[]) then now() end,
    last_seen_date = case when account_id = any(%(ended)s::integer[]) then greatest(first_seen_date, %(last_day)s::date) end,
    absent_since_date = case when account_id = any(%(held)s::integer[]) then coalesce(absent_since_date, %(day)s) end
where account_id = any(%(ended)s::integer[] || %(held)s::integer[])
