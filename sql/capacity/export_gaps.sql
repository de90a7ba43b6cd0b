-- What is missing on these days, and why.
-- Parameters: first_day, last_day (inclusive), instance_ids (NULL for all).
-- Returns: the columns of the export.
select
    g.stat_date,
    g.instance_id,
    i.name as instance_name,
    i.engine,
    g.database_name,
    g.reason,
    g.detail,
    g.session_id
from capacity_gaps as g
inner join instances as i on g.instance_id = i.instance_id
where
    g.closed_by is null
    and g.stat_date between %(first_day)s and %(last_day)s
    and (%(instance_ids)s::integer[] is null or g.instance_id = any(%(instance_ids)s::integer[]))
