-- Take a channel out of use.
-- Parameters: channel_name.
-- Returns: channel_id; no row if there is none.
update alert_channels
set is_active = false
where channel_name = %(channel_name)s and is_active
returning channel_id
