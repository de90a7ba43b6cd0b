-- The accounts that rules put into a class on a day, that were not in it before, and that nobody announced by an assignment by hand. What
-- was there when its instance was observed for the first time is not new; nor is an account that a rule of this day found as it was.
-- Parameters: day, code.
-- Returns: instance_name, account_name, rule_names (text[]).
select
    i.name as instance_name,
    a.account_name,
    array_agg(r.rule_name order by r.rule_name) as rule_names
from account_classification_assignments as t
inner join account_classifications as c on t.classification_id = c.classification_id
inner join classification_rules as r on t.rule_id = r.rule_id
inner join instance_accounts as a on t.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
where
    c.code = %(code)s
    and t.valid_from = %(day)s
    and t.valid_until is null
    and not exists (
        select 1 from account_classification_assignments as o
        where
            o.account_id = t.account_id
            and o.classification_id = t.classification_id
            and (o.rule_id is null or (o.valid_from < %(day)s and (o.valid_until is null or o.valid_until >= %(day)s)))
            and (o.valid_until is null or o.valid_until >= %(day)s)
    )
    and exists (select 1 from account_observations as b where b.instance_id = a.instance_id and b.observed_on < %(day)s)
    and (
        exists (
            select 1 from classification_rules as e where e.rule_group_id = r.rule_group_id and e.created_at::date < %(day)s
        )
        or exists (select 1 from account_attribute_versions as v where v.account_id = a.account_id and v.valid_from = %(day)s)
        or exists (select 1 from account_membership_versions as v where v.member_id = a.account_id and v.valid_from = %(day)s)
        or exists (select 1 from account_privileges as v where v.account_id = a.account_id and v.valid_from = %(day)s)
    )
group by i.name, a.account_name
order by i.name, a.account_name
