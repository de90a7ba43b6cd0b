-- Servers of which accounts came into classes of power, or left them, in these days. Privileged accounts have a condition of their own, and
-- what was there when a server was first observed is no change.
-- Parameters: instance_ids, oldest_day, day.
-- Returns: instance_id, database_id (NULL), occurred_on, figures.
with changes as (
    select
        t.account_id,
        t.classification_id,
        t.valid_from as day,
        1 as came
    from account_classification_assignments as t
    inner join classification_rules as r on t.rule_id = r.rule_id
    where t.valid_from between %(oldest_day)s and %(day)s and r.created_at::date < t.valid_from
    union all
    select
        t.account_id,
        t.classification_id,
        t.valid_until,
        0
    from account_classification_assignments as t
    inner join classification_rules as r on t.rule_id = r.rule_id
    where t.valid_until between %(oldest_day)s and %(day)s and r.superseded_at is null and r.is_active
)

select
    a.instance_id,
    null::integer as database_id,
    max(g.day) as occurred_on,
    jsonb_build_object(
        'came', count(*) filter (where g.came = 1), 'left', count(*) filter (where g.came = 0),
        'classes', array_to_string((array_agg(distinct c.code order by c.code))[1:5], ', '), 'day', max(g.day)
    ) as figures
from changes as g
inner join account_classifications as c on g.classification_id = c.classification_id
inner join instance_accounts as a on g.account_id = a.account_id
where
    a.instance_id = any(%(instance_ids)s)
    and c.axis = 'power'
    and c.code <> 'privileged'
    and exists (select 1 from account_observations as o where o.instance_id = a.instance_id and o.observed_on < g.day)
group by a.instance_id
