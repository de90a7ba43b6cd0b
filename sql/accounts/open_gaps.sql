-- Open the gaps that are new. One that was closed today is
-- resumed, so that a second reading of a day replaces the first.
-- Everything is compared as sets: nobody knows how many rows are staged, and with an estimate of one row a join took minutes.
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
    except
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
    where v.instance_id = %(instance_id)s and v.valid_until is null
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
    returning
        v.instance_id,
        v.account_id,
        v.scope,
        v.database_name,
        v.attribute,
        v.reason,
        v.detail,
        v.cure
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
    from (
        select
            g.instance_id,
            g.account_id,
            g.scope,
            g.database_name,
            g.attribute,
            g.reason,
            g.detail,
            g.cure
        from fresh as g
        except
        select
            r.instance_id,
            r.account_id,
            r.scope,
            r.database_name,
            r.attribute,
            r.reason,
            r.detail,
            r.cure
        from resumed as r
    ) as f
)

select count(*)::integer as opened from fresh
