-- The change log of these days, newest first.
-- Parameters: first_day, last_day, names (text[] of instances; NULL: all), most (rows).
-- Returns: day, instance_name, account_name, change_type, detail, session_id, observed_before (the day of the observation before; the
-- change happened between the two), change_count (of all rows, also of those that are not returned).
with changes as (
    select
        c.day,
        c.instance_id,
        i.name as instance_name,
        c.account_name,
        c.change_type,
        c.detail,
        c.session_id
    from account_change_log as c
    inner join instances as i on c.instance_id = i.instance_id
    where c.day between %(first_day)s and %(last_day)s and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
)

select
    c.day,
    c.instance_name,
    c.account_name,
    c.change_type,
    c.detail,
    c.session_id,
    (
        select max(o.observed_on) from account_observations as o
        where o.instance_id = c.instance_id and o.observed_on < c.day
    ) as observed_before,
    (count(*) over ())::integer as change_count
from changes as c
order by c.day desc, c.instance_name, c.account_name, c.change_type, c.detail::text
limit %(most)s
