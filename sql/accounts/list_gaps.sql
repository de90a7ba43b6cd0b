-- What could not be read on a day, and the accounts that the guard keeps.
-- Parameters: day, names (text[] of instances; NULL: all).
-- Returns: instance_name, account_name, scope, database_name, attribute, reason, detail, cure, valid_from.
select
    i.name as instance_name,
    a.account_name,
    g.scope,
    g.database_name,
    g.attribute,
    g.reason,
    g.detail,
    g.cure,
    g.valid_from
from account_gaps as g
inner join instances as i on g.instance_id = i.instance_id
left join instance_accounts as a on g.account_id = a.account_id
where
    g.valid_from <= %(day)s
    and (g.valid_until is null or g.valid_until > %(day)s)
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
order by i.name, g.database_name nulls first, g.scope nulls first, g.attribute nulls first, a.account_name
