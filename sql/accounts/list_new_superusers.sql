-- The accounts that are superusers since a day, on instances that were observed before it.
-- Parameters: day.
-- Returns: instance_name, account_name.
select
    i.name as instance_name,
    a.account_name
from account_attribute_versions as v
inner join instance_accounts as a on v.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
where
    v.valid_from = %(day)s
    and v.is_superuser
    and exists (select 1 from account_observations as o where o.instance_id = a.instance_id and o.observed_on < %(day)s)
    and not exists (
        select 1 from account_attribute_versions as b
        where b.account_id = v.account_id and b.valid_until = v.valid_from and b.is_superuser
    )
order by i.name, a.account_name
