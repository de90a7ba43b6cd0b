-- Servers on which accounts became privileged in these days: superusers that were none, and accounts that rules put into the class of
-- privileged ones. What was there when a server was first observed is not new, nor is what a person announced by an assignment by hand,
-- nor an account that a new rule found as it was.
-- Parameters: instance_ids, oldest_day, day.
-- Returns: instance_id, database_id (NULL), occurred_on, figures.
with superusers as (
    select
        v.account_id,
        v.valid_from as day
    from account_attribute_versions as v
    where
        v.valid_from between %(oldest_day)s and %(day)s
        and v.is_superuser
        and not exists (
            select 1 from account_attribute_versions as b
            where b.account_id = v.account_id and b.valid_until = v.valid_from and b.is_superuser
        )
),

members as (
    select
        t.account_id,
        t.valid_from as day
    from account_classification_assignments as t
    inner join account_classifications as c on t.classification_id = c.classification_id
    inner join classification_rules as r on t.rule_id = r.rule_id
    where
        c.code = 'privileged'
        and t.valid_from between %(oldest_day)s and %(day)s
        and not exists (
            select 1 from account_classification_assignments as o
            where
                o.account_id = t.account_id
                and o.classification_id = t.classification_id
                and (o.rule_id is null or o.valid_from < t.valid_from)
                and (o.valid_until is null or o.valid_until >= t.valid_from)
        )
        and exists (
            select 1 from classification_rules as e where e.rule_group_id = r.rule_group_id and e.created_at::date < t.valid_from
        )
),

privileged as (
    select * from superusers
    union
    select * from members
)

select
    a.instance_id,
    null::integer as database_id,
    max(p.day) as occurred_on,
    jsonb_build_object(
        'accounts', count(distinct p.account_id),
        'names', array_to_string((array_agg(distinct a.account_name order by a.account_name))[1:5], ', '),
        'day', max(p.day)
    ) as figures
from privileged as p
inner join instance_accounts as a on p.account_id = a.account_id
where
    a.instance_id = any(%(instance_ids)s)
    and exists (select 1 from account_observations as o where o.instance_id = a.instance_id and o.observed_on < p.day)
    and not exists (
        select 1 from account_classification_assignments as h
        inner join account_classifications as c on h.classification_id = c.classification_id
        where
            h.account_id = p.account_id
            and c.code = 'privileged'
            and h.rule_id is null
            and (h.valid_until is null or h.valid_until > p.day)
    )
group by a.instance_id
