-- Enter the staged facts that are not in the dictionary yet. In the order of their digests, so that two instances with new ones in common
-- wait for each other in one direction only.
-- Parameters: none.
-- Returns: nothing.
insert into account_privilege_facts (
    scope, database_name, schema_name, object_name, column_name, privilege, is_grantable, origin, effect, grantor_name, traits
)
select
    s.scope,
    s.database_name,
    s.schema_name,
    s.object_name,
    s.column_name,
    s.privilege,
    s.is_grantable,
    s.origin,
    s.effect,
    s.grantor_name,
    s.traits
from staged_facts as s
where not exists (select 1 from account_privilege_facts as f where f.digest = s.digest)
order by s.digest
on conflict (digest) do nothing
