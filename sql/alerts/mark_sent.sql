-- Write down that a message was delivered.
-- Parameters: message_id, now.
-- Returns: nothing.
update alert_outbox
set status = 'sent', sent_at = %(now)s, error = null
where message_id = %(message_id)s and status = 'queued'
