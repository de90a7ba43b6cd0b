-- The channels that are in use.
-- Parameters: none.
-- Returns: the fields of Channel.
select
    channel_id,
    channel_name,
    kind,
    url,
    signing_key,
    least_severity,
    tags,
    most_per_hour,
    has_reports
from alert_channels
where is_active
order by channel_id
