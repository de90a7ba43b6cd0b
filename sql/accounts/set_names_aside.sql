-- Give accounts that were renamed a name that no account has, so that two may exchange theirs.
-- Parameters: renamed (integer[] of account ids).
-- Returns: nothing.
update instance_accounts
set account_name = format('(renamed %%s)', account_id)
where account_id = any(%(renamed)s::integer[])
