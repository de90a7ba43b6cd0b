-- Open the privileges that were granted. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day; the staged rows.
-- Returns: opened (the number of versions).
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

fresh as (
    select s.*
    from staged as s
    where not exists (
        select 1 from account_privileges as v
        where
            v.valid_until is null
            and v.account_id = s.account_id
            and v.fact_id = s.fact_id
    )
),

resumed as (
    update account_privileges as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.account_id = f.account_id
        and v.fact_id = f.fact_id
    returning v.account_id, v.fact_id
),

opened as (
    insert into account_privileges (account_id, fact_id, valid_from)
    select
        f.account_id,
        f.fact_id,
        %(day)s
    from fresh as f
    where
        not exists (
            select 1 from resumed as r
            where
                r.account_id = f.account_id
                and r.fact_id = f.fact_id
        )
    -- in the order of the index, which is a quarter smaller then
    order by f.account_id, f.fact_id
)

select count(*)::integer as opened from fresh
