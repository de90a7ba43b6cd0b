-- Open the gaps that are new. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Parameters: instance_id, day; the staged rows.
-- Returns: opened (the number of versions).
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

fresh as (
    select s.*
    from staged as s
    where not exists (
        select 1 from account_gaps as v
        where
            v.valid_until is null
            and v.instance_id = s.instance_id
            and v.account_id is not distinct from s.account_id
            and v.scope is not distinct from s.scope
            and v.database_name is not distinct from s.database_name
            and v.attribute is not distinct from s.attribute
            and v.reason = s.reason
            and v.detail = s.detail
            and v.cure is not distinct from s.cure
    )
),

resumed as (
    update account_gaps as v
    set valid_until = null
    from fresh as f
    where
        v.valid_until = %(day)s
        and v.instance_id = f.instance_id
        and v.account_id is not distinct from f.account_id
        and v.scope is not distinct from f.scope
        and v.database_name is not distinct from f.database_name
        and v.attribute is not distinct from f.attribute
        and v.reason = f.reason
        and v.detail = f.detail
        and v.cure is not distinct from f.cure
    returning v.instance_id, v.account_id, v.scope, v.database_name, v.attribute, v.reason, v.detail, v.cure
),

opened as (
    insert into account_gaps (instance_id, account_id, scope, database_name, attribute, reason, detail, cure, valid_from)
    select
        f.instance_id,
        f.account_id,
        f.scope,
        f.database_name,
        f.attribute,
        f.reason,
        f.detail,
        f.cure,
        %(day)s
    from fresh as f
    where not exists (
        select 1 from resumed as r
        where
            r.instance_id = f.instance_id
            and r.account_id is not distinct from f.account_id
            and r.scope is not distinct from f.scope
            and r.database_name is not distinct from f.database_name
            and r.attribute is not distinct from f.attribute
            and r.reason = f.reason
            and r.detail = f.detail
            and r.cure is not distinct from f.cure
    )
)

select count(*)::integer as opened from fresh
