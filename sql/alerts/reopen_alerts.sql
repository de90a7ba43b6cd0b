-- Let alerts that are over be pending again, before they are written as they are now.
-- Parameters: alert_ids.
-- Returns: nothing.
update alerts set status = 'pending'
where alert_id = any(%(alert_ids)s) and status = 'cleared'
