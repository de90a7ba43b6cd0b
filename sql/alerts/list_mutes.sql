-- The mutes that are not over at an instant.
-- Parameters: now.
-- Returns: the fields of Mute.
select
    mute_id,
    owner,
    reason,
    until_at,
    rule_id,
    instance_id,
    database_id
from alert_mutes
where until_at > %(now)s
order by mute_id
