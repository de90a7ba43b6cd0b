-- The mutes that are not over, with the names of what they cover.
-- Parameters: now.
-- Returns: the fields of MuteRow.
select
    m.mute_id,
    r.rule_name,
    i.name as instance_name,
    n.database_name,
    m.owner,
    m.reason,
    m.created_at,
    m.until_at
from alert_mutes as m
left join alert_rules as r on m.rule_id = r.rule_id
left join instances as i on m.instance_id = i.instance_id
left join lateral (
    select d.database_name from database_activity as d
    where d.instance_id = m.instance_id and d.database_id = m.database_id
    order by d.active_from desc
    limit 1
) as n on true
where m.until_at > %(now)s
order by m.until_at, m.mute_id
