-- Open the privileges that were granted. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Everything is compared as sets: nobody knows how many rows are staged, and with an estimate of one row a join took minutes.
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
    select
        s.account_id,
        s.fact_id
    from staged as s
    except
    select
        v.account_id,
        v.fact_id
    from account_privileges as v
    inner join instance_accounts as a on v.account_id = a.account_id
    where a.instance_id = %(instance_id)s and v.valid_until is null
),

resumed as (
    update account_privileges as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.account_id = f.account_id
        and v.fact_id = f.fact_id
    returning
        v.account_id,
        v.fact_id
),

opened as (
    insert into account_privileges (account_id, fact_id, valid_from)
    select
        f.account_id,
        f.fact_id,
        %(day)s
    from (
        select
            g.account_id,
            g.fact_id
        from fresh as g
        except
        select
            r.account_id,
            r.fact_id
        from resumed as r
    ) as f
    -- in the order of the index, which is a quarter smaller then
    order by f.account_id, f.fact_id
)

select count(*)::integer as opened from fresh
