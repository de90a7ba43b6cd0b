-- Add or change channels by their names, and use them again.
-- Parameters: channels (jsonb: the fields of Channel but the identifier).
-- Returns: nothing.
insert into alert_channels (channel_name, kind, url, signing_key, least_severity, tags, most_per_hour, has_reports)
select
    c.channel_name,
    c.kind,
    c.url,
    c.signing_key,
    c.least_severity,
    c.tags,
    c.most_per_hour,
    c.has_reports
from jsonb_populate_recordset(null::alert_channels, %(channels)s::jsonb) as c
on conflict (channel_name) do update
    set
        kind = excluded.kind,
        url = excluded.url,
        signing_key = excluded.signing_key,
        least_severity = excluded.least_severity,
        tags = excluded.tags,
        most_per_hour = excluded.most_per_hour,
        has_reports = excluded.has_reports,
        is_active = true
