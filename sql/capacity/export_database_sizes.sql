-- Sizes of databases on these days, in no order: sorting a million rows would hold back the first one.
-- Parameters: first_day, last_day (inclusive), instance_ids (NULL for all).
-- Returns: the columns of the export.
select
    s.stat_date,
    s.instance_id,
    i.name as instance_name,
    i.engine,
    s.database_name,
    s.total_bytes,
    s.data_bytes,
    s.log_bytes,
    s.provenance,
    s.method,
    s.collected_at,
    s.session_id
from database_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date between %(first_day)s and %(last_day)s
    and (%(instance_ids)s::integer[] is null or s.instance_id = any(%(instance_ids)s::integer[]))
