-- The accounts in classes on a day, one row for each rule or assignment by hand; or those that entered or left a class on that day.
-- Parameters: day, names (text[] of instances; NULL: all), code (NULL: any class), account_name (NULL: all), changes_only (boolean).
-- Returns: instance_name, account_name, code, axis, risk_level, assignment_type, rule_name, rule_version, assigned_by, notes, valid_from,
-- valid_until.
select
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
    and case
        when not %(changes_only)s then t.valid_until is null or t.valid_until > %(day)s
        -- it began or ended on this day, and neither had another in this class on the other side
        when t.valid_until = %(day)s
            then
                not exists (
                    select 1 from account_classification_assignments as o
                    where
                        o.account_id = t.account_id
                        and o.classification_id = t.classification_id
                        and o.valid_from <= %(day)s
                        and (o.valid_until is null or o.valid_until > %(day)s)
                )
        when t.valid_from = %(day)s
            then
                not exists (
                    select 1 from account_classification_assignments as o
                    where
                        o.account_id = t.account_id
                        and o.classification_id = t.classification_id
                        and o.valid_from < %(day)s
                        and (o.valid_until is null or o.valid_until >= %(day)s)
                )
        else false
    end
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(code)s::text is null or c.code = %(code)s)
    and (%(account_name)s::text is null or a.account_name = %(account_name)s)
order by i.name, a.account_name, c.axis, c.risk_level, c.priority desc, c.code, r.rule_name
