-- End a mute.
-- Parameters: mute_id, now.
-- Returns: mute_id; no row if it is over.
update alert_mutes
set until_at = greatest(%(now)s::timestamptz, created_at + interval '1 microsecond')
where mute_id = %(mute_id)s and until_at > %(now)s
returning mute_id
