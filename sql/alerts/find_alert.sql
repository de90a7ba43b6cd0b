-- One alert.
-- Parameters: alert_id.
-- Returns: the fields of Alert, with instance_id and database_id.
select
    alert_id,
    rule_id,
    instance_id,
    database_id,
    status,
    severity,
    peak_severity,
    figures,
    occurred_on,
    episode,
    flaps,
    met_days,
    clear_days,
    opened_on,
    cleared_on,
    unknown_since,
    acknowledged_by,
    acknowledged_note,
    acknowledged_until
from alerts
where alert_id = %(alert_id)s
