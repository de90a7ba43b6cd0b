-- Stage the memberships that held on a day in roles that are members themselves: who has a role of a role is found through these alone.
-- Parameters: day.
-- Returns: nothing.
insert into nested_memberships (member_id, role_id, inherits, can_set, is_default, database_name)
select
    m.member_id,
    m.role_id,
    m.inherits,
    m.can_set,
    m.is_default,
    m.database_name
from (
    select distinct n.role_id
    from account_membership_versions as n
    inner join classified_accounts as a on n.role_id = a.account_id
) as r
inner join account_membership_versions as m on r.role_id = m.role_id
where
    m.valid_from <= %(day)s
    and (m.valid_until is null or m.valid_until > %(day)s)
    and exists (select 1 from account_membership_versions as o where o.member_id = r.role_id)
