-- Instances whose login was rejected on this day and has not been changed since.
-- Parameters: day, rejected (the reason of a rejected login).
-- Returns: instance_id.
select distinct g.instance_id
from capacity_gaps as g
inner join instances as i on g.instance_id = i.instance_id
inner join credentials as c on i.credential_id = c.credential_id
left join sync_sessions as s on g.session_id = s.session_id
where
    g.stat_date = %(day)s
    and g.closed_by is null
    and g.reason = %(rejected)s
    and greatest(i.updated_at, c.updated_at) <= coalesce(s.completed_at, clock_timestamp())
