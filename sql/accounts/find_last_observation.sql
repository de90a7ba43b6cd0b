-- The newest observation of an instance.
-- Parameters: instance_id.
-- Returns: observed_on, facts_digest (NULL: the next listing must be compared, because this one was not taken over as it was, or because
-- the login could read nothing meanwhile); at most one row.
select
    o.observed_on,
    case
        when not exists (
            select 1 from account_gaps as g
            where
                g.instance_id = o.instance_id and g.scope = 'account' and g.database_name is null and g.account_id is null
                and g.attribute is null and g.valid_until is null
        ) then o.facts_digest
    end as facts_digest
from account_observations as o
where o.instance_id = %(instance_id)s
order by o.observed_on desc
limit 1
