-- The alerts of which channels may have to be told: those that are open, and those that are over since a few days.
-- Parameters: day.
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
where a.status = 'open' or (a.status = 'cleared' and a.cleared_on >= %(day)s::date - 7)
order by a.alert_id
