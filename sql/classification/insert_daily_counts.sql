-- Count the assignments that hold on a day, for every class, rule and instance.
-- Parameters: day, instance_ids (integer[]; NULL: all).
-- Returns: nothing.
insert into classification_daily_counts (day, classification_id, rule_id, engine, instance_id, matched_accounts)
select
    %(day)s,
    t.classification_id,
    t.rule_id,
    i.engine,
    a.instance_id,
    count(*)
from account_classification_assignments as t
inner join instance_accounts as a on t.account_id = a.account_id
inner join instances as i on a.instance_id = i.instance_id
where
    t.valid_from <= %(day)s
    and (t.valid_until is null or t.valid_until > %(day)s)
    and a.is_active
    and (%(instance_ids)s::integer[] is null or a.instance_id = any(%(instance_ids)s::integer[]))
group by t.classification_id, t.rule_id, i.engine, a.instance_id
