-- Servers that rejected their login on a day.
-- Parameters: instance_ids, day.
-- Returns: instance_id, database_id (NULL), occurred_on, figures.
select
    g.instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object('day', %(day)s::date, 'detail', min(g.detail)) as figures
from capacity_gaps as g
where
    g.stat_date = %(day)s
    and g.closed_by is null
    and g.reason = 'authentication_failed'
    and g.instance_id = any(%(instance_ids)s)
group by g.instance_id
