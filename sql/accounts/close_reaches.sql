-- Close what is no longer told of databases that could not be read. A version that began today is
-- undone, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day, held (integer[] of accounts that the guard keeps: nothing of them is closed); the staged rows.
-- Returns: closed (the number of versions).
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

gone as (
    select
        v.account_id,
        v.database_name,
        v.owned_count,
        v.granted_count,
        v.policy_count
    from account_reach_versions as v
    inner join instance_accounts as a on v.account_id = a.account_id
    where
        a.instance_id = %(instance_id)s
        and v.valid_until is null
        and v.account_id <> all(%(held)s::integer[])
    except
    select
        s.account_id,
        s.database_name,
        s.owned_count,
        s.granted_count,
        s.policy_count
    from staged as s
),

undone as (
    delete from account_reach_versions as v
    using gone as g
    where
        v.valid_from = %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.database_name is not distinct from g.database_name
        and v.owned_count = g.owned_count
        and v.granted_count = g.granted_count
        and v.policy_count = g.policy_count
),

closed as (
    update account_reach_versions as v
    set valid_until = %(day)s
    from gone as g
    where
        v.valid_from < %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.database_name is not distinct from g.database_name
        and v.owned_count = g.owned_count
        and v.granted_count = g.granted_count
        and v.policy_count = g.policy_count
)

select count(*)::integer as closed from gone
