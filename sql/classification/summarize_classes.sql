-- How many accounts of each engine are in each class on a day, and how many entered and left it on that day. An account that several rules
-- put into a class is in it once.
-- Parameters: day.
-- Returns: code, axis, risk_level, engine, accounts, entered, gone.
with members as (
    select
        t.account_id,
        t.classification_id,
        bool_or(t.valid_from <= %(day)s and (t.valid_until is null or t.valid_until > %(day)s)) as is_in,
        bool_or(t.valid_from < %(day)s) as was_in
    from account_classification_assignments as t
    where t.valid_from <= %(day)s and (t.valid_until is null or t.valid_until >= %(day)s)
    group by t.account_id, t.classification_id
)

select
    c.code,
    c.axis,
    c.risk_level,
    i.engine,
    count(*) filter (where m.is_in) as accounts,
    count(*) filter (where m.is_in and not m.was_in) as entered,
    count(*) filter (where m.was_in and not m.is_in) as gone
from members as m
inner join account_classifications as c on m.classification_id = c.classification_id
inner join instance_accounts as a on m.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
group by c.code, c.axis, c.risk_level, c.priority, i.engine
order by c.axis, c.risk_level, c.priority desc, c.code, i.engine
