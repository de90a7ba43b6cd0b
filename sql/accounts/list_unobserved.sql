-- The instances that were active on a day, and whose accounts were not read on it.
-- Parameters: day.
-- Returns: instance_name, observed_on (the newest observation; NULL if there is none), error_message (of the newest failed record of the
-- day; NULL if nobody tried).
select
    i.name as instance_name,
    (select max(o.observed_on) from account_observations as o where o.instance_id = i.instance_id) as observed_on,
    (
        select r.error_message
        from sync_instance_records as r
        inner join sync_sessions as s on r.session_id = s.session_id
        where
            r.instance_id = i.instance_id
            and s.sync_category = 'account'
            and r.status = 'failed'
            and %(day)s between s.first_day and s.last_day
        order by s.started_at desc
        limit 1
    ) as error_message
from instances as i
where
    exists (
        select 1 from instance_activity as a
        where a.instance_id = i.instance_id and a.active_from <= %(day)s and (a.active_until is null or a.active_until > %(day)s)
    )
    and not exists (select 1 from account_observations as o where o.instance_id = i.instance_id and o.observed_on = %(day)s)
order by i.name
