-- Delete the counts of a day before they are written again.
-- Parameters: day, instance_ids (integer[]; NULL: all).
-- Returns: nothing.
delete from classification_daily_counts
where day = %(day)s and (%(instance_ids)s::integer[] is null or instance_id = any(%(instance_ids)s::integer[]))
