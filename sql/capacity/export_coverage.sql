-- How much is known of each instance on these days.
-- Parameters: first_day, last_day (inclusive), instance_ids (NULL for all).
-- Returns: the columns of the export.
select
    c.stat_date,
    c.instance_id,
    i.name as instance_name,
    i.engine,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    array_to_string(c.reasons, ' ') as reasons
from coverage_between(%(first_day)s::date, %(last_day)s::date) as c
inner join instances as i on c.instance_id = i.instance_id
where %(instance_ids)s::integer[] is null or c.instance_id = any(%(instance_ids)s::integer[])
