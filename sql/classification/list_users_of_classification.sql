-- What uses a class: rules in any version, and accounts on any day.
-- Parameters: code.
-- Returns: a text for each.
select 'the rule ' || r.rule_name as user_name
from classification_rules as r
inner join account_classifications as c on r.classification_id = c.classification_id
where c.code = %(code)s
group by r.rule_name
union all
select 'the account ' || i.name || '/' || a.account_name
from account_classification_assignments as t
inner join account_classifications as c on t.classification_id = c.classification_id
inner join instance_accounts as a on t.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
where c.code = %(code)s
group by i.name, a.account_name
order by user_name desc
