-- The privileges that accounts have by themselves on a day.
-- Parameters: account_ids (integer[]), day.
-- Returns: account_id, scope, database_name, schema_name, object_name, column_name, privilege, is_grantable, origin, effect, traits, since.
select
    p.account_id,
    f.scope,
    f.database_name,
    f.schema_name,
    f.object_name,
    f.column_name,
    f.privilege,
    bool_or(f.is_grantable) as is_grantable,
    f.origin,
    f.effect,
    f.traits,
    min(p.valid_from) as since
from account_privileges as p
inner join account_privilege_facts as f on p.fact_id = f.fact_id
where
    p.account_id = any(%(account_ids)s::integer[])
    and p.valid_from <= %(day)s
    and (p.valid_until is null or p.valid_until > %(day)s)
group by
    p.account_id, f.scope, f.database_name, f.schema_name, f.object_name, f.column_name, f.privilege, f.origin, f.effect, f.traits
order by f.database_name nulls first, f.schema_name nulls first, f.object_name nulls first, f.column_name nulls first, f.scope, f.privilege
