-- The memberships of an instance on a day.
-- Parameters: day, instance_id.
-- Returns: member_id, role_id, role_name, database_of_role, user_of_role, is_superuser (of the role), inherits, can_set, is_default,
-- database_name.
select
    m.member_id,
    m.role_id,
    v.account_name as role_name,
    r.database_name as database_of_role,
    v.attributes ->> 'user' as user_of_role,
    v.is_superuser,
    m.inherits,
    m.can_set,
    m.is_default,
    m.database_name
from account_membership_versions as m
inner join instance_accounts as r on m.role_id = r.account_id
inner join account_attribute_versions as v on r.account_id = v.account_id
where
    r.instance_id = %(instance_id)s
    and m.valid_from <= %(day)s
    and (m.valid_until is null or m.valid_until > %(day)s)
    and v.valid_from <= %(day)s
    and (v.valid_until is null or v.valid_until > %(day)s)
order by v.account_name, m.member_id
