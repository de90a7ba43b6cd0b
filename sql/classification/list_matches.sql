-- The accounts that the evaluated rules matched.
-- Parameters: none.
-- Returns: name (instance/account).
select i.name || '/' || a.account_name as name
from matches as m
inner join classified_accounts as a on m.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
order by name
