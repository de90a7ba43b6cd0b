-- How many alerts opened and cleared between two days, by rule, and how many are open now.
-- Parameters: first_day, last_day (inclusive).
-- Returns: rule_name, opened, cleared, still_open.
with events as (
    select
        a.rule_id,
        count(*) filter (where e.event in ('opened', 'reopened')) as opened,
        count(*) filter (where e.event = 'cleared') as cleared
    from alert_events as e
    inner join alerts as a on e.alert_id = a.alert_id
    where e.day between %(first_day)s and %(last_day)s
    group by a.rule_id
),

live as (
    select
        rule_id,
        count(*) as still_open
    from alerts
    where status in ('open', 'acknowledged')
    group by rule_id
)

select
    r.rule_name,
    coalesce(e.opened, 0)::integer as opened,
    coalesce(e.cleared, 0)::integer as cleared,
    coalesce(l.still_open, 0)::integer as still_open
from alert_rules as r
left join events as e on r.rule_id = e.rule_id
left join live as l on r.rule_id = l.rule_id
where coalesce(e.opened, 0) + coalesce(e.cleared, 0) + coalesce(l.still_open, 0) > 0
order by r.rule_id
