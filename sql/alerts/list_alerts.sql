-- Alerts as people see them, the most urgent first.
-- Parameters: now, with_all (boolean: also pending and cleared ones), alert_id (NULL: any), after_id (the last alert of the previous page;
-- NULL: none), most, skipped.
-- Returns: the fields of ListedAlert but the sentence.
with ranked as (
    select
        *,
        -- arrays are compared element by element: this is the order of the list, and no two alerts have the same
        array[
            array_position(array['open', 'acknowledged', 'pending', 'cleared'], status),
            array_position(array['critical', 'warning', 'info'], peak_severity),
            coalesce(date '9999-12-31' - opened_on, 2147483647),
            -alert_id
        ] as place
    from alerts
)

select
    a.alert_id,
    r.rule_name,
    r.condition,
    a.instance_id,
    i.name as instance_name,
    n.database_name,
    a.status,
    a.peak_severity as severity,
    a.figures,
    a.opened_on,
    a.cleared_on,
    a.unknown_since,
    a.flaps,
    a.acknowledged_by,
    a.acknowledged_note,
    a.acknowledged_until,
    exists(
        select 1 from alert_mutes as m
        where
            m.until_at > %(now)s
            and coalesce(m.rule_id, a.rule_id) = a.rule_id
            and (m.instance_id is null or m.instance_id = a.instance_id)
            and (m.database_id is null or m.database_id = a.database_id)
    ) as is_muted
from ranked as a
inner join alert_rules as r on a.rule_id = r.rule_id
left join instances as i on a.instance_id = i.instance_id
left join lateral (
    select d.database_name from database_activity as d
    where d.instance_id = a.instance_id and d.database_id = a.database_id
    order by d.active_from desc
    limit 1
) as n on true
where
    (a.status in ('open', 'acknowledged') or %(with_all)s)
    and (%(alert_id)s::integer is null or a.alert_id = %(alert_id)s::integer)
    and (%(after_id)s::integer is null or a.place > (select last.place from ranked as last where last.alert_id = %(after_id)s::integer))
order by a.place
limit %(most)s offset %(skipped)s
