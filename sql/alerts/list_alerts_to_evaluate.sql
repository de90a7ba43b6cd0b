-- The alerts of these rules that are live, and those that are over and whose subject was found again.
-- Parameters: rule_ids, subjects (jsonb: rule_id, instance_id and database_id of what was found).
-- Returns: the fields of Alert, with instance_id and database_id.
select
    a.alert_id,
    a.rule_id,
    a.instance_id,
    a.database_id,
    a.status,
    a.severity,
    a.peak_severity,
    a.figures,
    a.occurred_on,
    a.episode,
    a.flaps,
    a.met_days,
    a.clear_days,
    a.opened_on,
    a.cleared_on,
    a.unknown_since,
    a.acknowledged_by,
    a.acknowledged_note,
    a.acknowledged_until
from alerts as a
left join jsonb_to_recordset(%(subjects)s::jsonb) as s (rule_id integer, instance_id integer, database_id integer)
    on
        a.rule_id = s.rule_id
        -- a comparison that can be hashed; no identifier is 0
        and coalesce(a.instance_id, 0) = coalesce(s.instance_id, 0)
        and coalesce(a.database_id, 0) = coalesce(s.database_id, 0)
where a.rule_id = any(%(rule_ids)s) and (a.status <> 'cleared' or s.rule_id is not null)
order by a.alert_id
