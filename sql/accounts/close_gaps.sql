-- Close the gaps that are gone. A version that began today is
-- undone, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day; the staged rows.
-- Returns: closed (the number of versions).
with staged as (
    select
        %(instance_id)s::integer as instance_id,
        account_id,
        scope,
        database_name,
        attribute,
        reason,
        detail,
        cure
    from staged_gaps
),

gone as (
    select
        v.instance_id,
        v.account_id,
        v.scope,
        v.database_name,
        v.attribute,
        v.reason,
        v.detail,
        v.cure
    from account_gaps as v
    where
        v.instance_id = %(instance_id)s
        and v.valid_until is null
    except
    select
        s.instance_id,
        s.account_id,
        s.scope,
        s.database_name,
        s.attribute,
        s.reason,
        s.detail,
        s.cure
    from staged as s
),

undone as (
    delete from account_gaps as v
    using gone as g
    where
        v.valid_from = %(day)s
        and v.valid_until is null
        and v.instance_id = g.instance_id
        and v.account_id is not distinct from g.account_id
        and v.scope is not distinct from g.scope
        and v.database_name is not distinct from g.database_name
        and v.attribute is not distinct from g.attribute
        and v.reason = g.reason
        and v.detail = g.detail
        and v.cure is not distinct from g.cure
),

closed as (
    update account_gaps as v
    set valid_until = %(day)s
    from gone as g
    where
        v.valid_from < %(day)s
        and v.valid_until is null
        and v.instance_id = g.instance_id
        and v.account_id is not distinct from g.account_id
        and v.scope is not distinct from g.scope
        and v.database_name is not distinct from g.database_name
        and v.attribute is not distinct from g.attribute
        and v.reason = g.reason
        and v.detail = g.detail
        and v.cure is not distinct from g.cure
)

select count(*)::integer as closed from gone
