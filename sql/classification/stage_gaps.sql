-- Stage what could not be read on a day of the instances whose accounts are staged; a gap about one kept account hides no fact.
-- Parameters: day.
-- Returns: nothing.
insert into classified_gaps (instance_id, engine, scope, database_name, attribute)
select
    g.instance_id,
    i.engine,
    g.scope,
    g.database_name,
    g.attribute
from account_gaps as g
inner join instances as i on g.instance_id = i.instance_id
where
    g.account_id is null
    and g.valid_from <= %(day)s
    and (g.valid_until is null or g.valid_until > %(day)s)
    and g.instance_id in (select instance_id from classified_accounts)
