-- Write down what happened to alerts.
-- Parameters: events (jsonb: alert_id, event, severity, figures, person, note), day, now.
-- Returns: nothing.
insert into alert_events (alert_id, event, day, happened_at, severity, figures, person, note)
select
    e.alert_id,
    e.event,
    %(day)s::date as day,
    %(now)s::timestamptz as happened_at,
    e.severity,
    e.figures,
    e.person,
    e.note
from jsonb_to_recordset(%(events)s::jsonb) as e (
    alert_id integer, event text, severity text, figures jsonb, person text, note text
)
