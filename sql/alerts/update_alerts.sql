-- Write alerts as they are now. A transition through a status in between takes one call for each.
-- Parameters: alerts (jsonb: the fields of Alert), now.
-- Returns: nothing.
update alerts as a
set
    status = n.status,
    severity = n.severity,
    peak_severity = n.peak_severity,
    figures = n.figures,
    occurred_on = n.occurred_on,
    episode = n.episode,
    flaps = n.flaps,
    met_days = n.met_days,
    clear_days = n.clear_days,
    opened_on = n.opened_on,
    cleared_on = n.cleared_on,
    unknown_since = n.unknown_since,
    acknowledged_by = n.acknowledged_by,
    acknowledged_note = n.acknowledged_note,
    acknowledged_until = n.acknowledged_until,
    changed_at = %(now)s
from jsonb_populate_recordset(null::alerts, %(alerts)s::jsonb) as n
where a.alert_id = n.alert_id
