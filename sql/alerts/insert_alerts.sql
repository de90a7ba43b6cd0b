-- Add the alerts of subjects that had none.
-- Parameters: alerts (jsonb: rule_id, instance_id, database_id, severity).
-- Returns: alert_id, rule_id, instance_id, database_id.
insert into alerts (rule_id, instance_id, database_id, severity, peak_severity)
select
    n.rule_id,
    n.instance_id,
    n.database_id,
    n.severity,
    n.severity
from jsonb_to_recordset(%(alerts)s::jsonb) as n (rule_id integer, instance_id integer, database_id integer, severity text)
returning alert_id, rule_id, instance_id, database_id
