-- Close the privileges that were revoked; what could not be read stays open. A version that began today is
-- undone, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day, held (integer[] of accounts that the guard keeps: nothing of them is closed); the staged rows.
-- Returns: closed (the number of versions).
with staged as (
    select
        a.account_id,
        f.fact_id
    from staged_privileges as s
    inner join instance_accounts as a on s.account_name = a.account_name
    inner join staged_facts as n on s.number = n.number
    inner join account_privilege_facts as f on n.digest = f.digest
    where a.instance_id = %(instance_id)s and a.is_active
),

gone as (
    select
        v.account_id,
        v.fact_id
    from account_privileges as v
    inner join instance_accounts as a on v.account_id = a.account_id
    inner join account_privilege_facts as f on v.fact_id = f.fact_id
    where
        a.instance_id = %(instance_id)s
        and v.valid_until is null
        and v.account_id <> all(%(held)s::integer[])
        and (
            not a.is_active
            or not exists (
                select 1 from staged_gaps as u
                where
                    u.account_id is null
                    and u.attribute is null
                    and (u.scope is null or u.scope = f.scope)
                    and (u.database_name is null or u.database_name = f.database_name)
            )
        )
    except
    select
        s.account_id,
        s.fact_id
    from staged as s
),

undone as (
    delete from account_privileges as v
    using gone as g
    where
        v.valid_from = %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.fact_id = g.fact_id
),

closed as (
    update account_privileges as v
    set valid_until = %(day)s
    from gone as g
    where
        v.valid_from < %(day)s
        and v.valid_until is null
        and v.account_id = g.account_id
        and v.fact_id = g.fact_id
)

select count(*)::integer as closed from gone
