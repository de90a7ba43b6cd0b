-- The assignments by which accounts entered or left a class on a day: they began or ended on it, and no other assignment had the account in
-- that class on the other side.
-- Parameters: day, most.
-- Returns: the columns of classification.model.Member, in its order; the first in the order of instances and accounts.
select
    t.account_id,
    t.classification_id,
    t.rule_id,
    i.name as instance_name,
    a.account_name,
    c.code,
    c.axis,
    c.risk_level,
    t.assignment_type,
    r.rule_name,
    t.rule_version,
    t.assigned_by,
    t.notes,
    t.valid_from,
    t.valid_until
from account_classification_assignments as t
inner join account_classifications as c on t.classification_id = c.classification_id
inner join instance_accounts as a on t.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
left join classification_rules as r on t.rule_id = r.rule_id
where
    (t.valid_from = %(day)s or t.valid_until = %(day)s)
    and not exists (
        select 1 from account_classification_assignments as o
        where
            o.account_id = t.account_id
            and o.classification_id = t.classification_id
            and case
                when t.valid_until = %(day)s then o.valid_from <= %(day)s and (o.valid_until is null or o.valid_until > %(day)s)
                else o.valid_from < %(day)s and (o.valid_until is null or o.valid_until >= %(day)s)
            end
    )
order by i.name, a.account_name, c.axis, c.risk_level, c.priority desc, c.code, r.rule_name
limit %(most)s
