-- Add a mute.
-- Parameters: rule_id, instance_id, database_id (NULL: any), owner, reason, now, until_at.
-- Returns: the fields of Mute.
insert into alert_mutes (rule_id, instance_id, database_id, owner, reason, created_at, until_at)
values (%(rule_id)s, %(instance_id)s, %(database_id)s, %(owner)s, %(reason)s, %(now)s, %(until_at)s)
returning
    mute_id,
    owner,
    reason,
    until_at,
    rule_id,
    instance_id,
    database_id
