-- Between which observations a day lies, for each instance that was ever observed.
-- Parameters: day, names (text[] of instances; NULL: all).
-- Returns: instance_name, observed_before (the newest observation up to the day; NULL: none), observed_after (the first one after it).
select
    i.name as instance_name,
    b.observed_before,
    a.observed_after
from instances as i
-- each from the index, however many observations there are
cross join
    lateral (
        select max(o.observed_on) as observed_before from account_observations as o
        where o.instance_id = i.instance_id and o.observed_on <= %(day)s
    ) as b
cross join
    lateral (
        select min(o.observed_on) as observed_after from account_observations as o
        where o.instance_id = i.instance_id and o.observed_on > %(day)s
    ) as a
where
    i.deleted_at is null
    and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and coalesce(b.observed_before, a.observed_after) is not null
order by i.name
