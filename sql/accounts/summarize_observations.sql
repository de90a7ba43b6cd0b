-- Between which observations a day lies, for each instance that was ever observed.
-- Parameters: day, names (text[] of instances; NULL: all).
-- Returns: instance_name, observed_before (the newest observation up to the day; NULL: none), observed_after (the first one after it).
select
    i.name as instance_name,
    max(o.observed_on) filter (where o.observed_on <= %(day)s) as observed_before,
    min(o.observed_on) filter (where o.observed_on > %(day)s) as observed_after
from instances as i
inner join account_observations as o on i.instance_id = o.instance_id
where i.deleted_at is null and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
group by i.name
order by i.name
