-- Totals of instances on these days, each with how many databases it has and how many were expected.
-- Parameters: first_day, last_day (inclusive), instance_ids (NULL for all).
-- Returns: the columns of the export.
select
    s.stat_date,
    s.instance_id,
    i.name as instance_name,
    i.engine,
    s.total_bytes,
    s.shared_bytes,
    s.database_count,
    s.expected_count,
    s.provenance,
    s.collected_at,
    s.session_id
from instance_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date between %(first_day)s and %(last_day)s
    and (%(instance_ids)s::integer[] is null or s.instance_id = any(%(instance_ids)s::integer[]))
