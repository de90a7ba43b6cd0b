-- The accounts in classes on a day, one row for each rule or assignment by hand, in the order in which the accounts were first seen.
-- Parameters: day, names (text[] of instances; NULL: all), code (NULL: any class), account_name (NULL: all), after_account, after_class and
-- after_rule (the last row of the page before, or NULL), skipped, most (NULL for all).
-- Returns: the columns of classification.model.Member, in its order.
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
    t.valid_from <= %(day)s
    and (t.valid_until is null or t.valid_until > %(day)s)
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(code)s::text is null or c.code = %(code)s)
    and (%(account_name)s::text is null or a.account_name = %(account_name)s)
    and (
        %(after_account)s::integer is null
        or (t.account_id, t.classification_id, coalesce(t.rule_id, 0))
        > (%(after_account)s::integer, %(after_class)s::integer, coalesce(%(after_rule)s::integer, 0))
    )
order by t.account_id, t.classification_id, coalesce(t.rule_id, 0)
limit %(most)s offset %(skipped)s
