-- Accounts that were known and are listed: only what changed is written.
-- Parameters: none; staged_accounts has the account_id of each.
-- Returns: nothing.
update instance_accounts as a
set
    account_name = s.account_name,
    native_id = coalesce(s.native_id, a.native_id),
    account_kind = s.account_kind,
    is_built_in = s.is_built_in,
    is_everyone = s.is_everyone,
    database_name = s.database_name,
    last_login_at = coalesce(s.last_login_at, a.last_login_at),
    is_active = true,
    deleted_at = null,
    last_seen_date = null,
    absent_since_date = null
from staged_accounts as s
where
    a.account_id = s.account_id
    and (
        a.account_name, a.native_id, a.account_kind, a.is_built_in, a.is_everyone, a.database_name, a.last_login_at, a.is_active,
        a.absent_since_date
    ) is distinct from (
        s.account_name, coalesce(s.native_id, a.native_id), s.account_kind, s.is_built_in, s.is_everyone, s.database_name,
        coalesce(s.last_login_at, a.last_login_at), true, null::date
    )
