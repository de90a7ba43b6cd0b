-- Open what is told of databases that could not be read. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day; the staged rows.
-- Returns: opened (the number of versions).
with staged as (
    select
        a.account_id,
        s.database_name,
        s.owned_count,
        s.granted_count,
        s.policy_count
    from staged_reaches as s
    inner join instance_accounts as a on s.account_name = a.account_name
    where a.instance_id = %(instance_id)s and a.is_active
),

fresh as (
    select s.*
    from staged as s
    where not exists (
        select 1 from account_reach_versions as v
        where
            v.valid_until is null
            and v.account_id = s.account_id
            and v.database_name is not distinct from s.database_name
            and v.owned_count = s.owned_count
            and v.granted_count = s.granted_count
            and v.policy_count = s.policy_count
    )
),

resumed as (
    update account_reach_versions as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.account_id = f.account_id
        and v.database_name is not distinct from f.database_name
        and v.owned_count = f.owned_count
        and v.granted_count = f.granted_count
        and v.policy_count = f.policy_count
    returning v.account_id, v.database_name, v.owned_count, v.granted_count, v.policy_count
),

opened as (
    insert into account_reach_versions (account_id, database_name, owned_count, granted_count, policy_count, valid_from)
    select
        f.account_id,
        f.database_name,
        f.owned_count,
        f.granted_count,
        f.policy_count,
        %(day)s
    from fresh as f
    where not exists (
        select 1 from resumed as r
        where
            r.account_id = f.account_id
            and r.database_name is not distinct from f.database_name
            and r.owned_count = f.owned_count
            and r.granted_count = f.granted_count
            and r.policy_count = f.policy_count
    )
)

select count(*)::integer as opened from fresh
