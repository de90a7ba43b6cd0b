-- Delete what is older than a day: events of alerts, messages that were sent, evaluations.
-- Parameters: day.
-- Returns: nothing.
with events as (
    delete from alert_events
    where day < %(day)s
),

messages as (
    delete from alert_outbox
    where status <> 'queued' and created_at < %(day)s
)

delete from alert_evaluations
where day < %(day)s
