-- Open what is told of databases that could not be read. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Everything is compared as sets: nobody knows how many rows are staged, and with an estimate of one row a join took minutes.
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
    select
        s.account_id,
        s.database_name,
        s.owned_count,
        s.granted_count,
        s.policy_count
    from staged as s
    except
    select
        v.account_id,
        v.database_name,
        v.owned_count,
        v.granted_count,
        v.policy_count
    from account_reach_versions as v
    inner join instance_accounts as a on v.account_id = a.account_id
    where a.instance_id = %(instance_id)s and v.valid_until is null
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
    returning
        v.account_id,
        v.database_name,
        v.owned_count,
        v.granted_count,
        v.policy_count
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
    from (
        select
            g.account_id,
            g.database_name,
            g.owned_count,
            g.granted_count,
            g.policy_count
        from fresh as g
        except
        select
            r.account_id,
            r.database_name,
            r.owned_count,
            r.granted_count,
            r.policy_count
        from resumed as r
    ) as f
)

select count(*)::integer as opened from fresh
