-- The writer deletes what has expired. What happened stays as it was written.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke update on alert_events, weekly_reports from {writer};
grant delete on alert_events, alert_outbox, alert_evaluations to {writer}
