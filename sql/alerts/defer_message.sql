-- Write down that an attempt failed.
-- Parameters: message_id, status (queued or failed), next_attempt_at, error.
-- Returns: nothing.
update alert_outbox
set status = %(status)s, next_attempt_at = %(next_attempt_at)s, error = %(error)s
where message_id = %(message_id)s and status = 'queued'
