-- Queue again what was given up, with three new attempts.
-- Parameters: now.
-- Returns: message_id.
update alert_outbox
set status = 'queued', attempts = 0, next_attempt_at = %(now)s
where status = 'failed'
returning message_id
