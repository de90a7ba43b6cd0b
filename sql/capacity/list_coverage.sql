-- The coverage of every instance, or of one, on each of these days, without instances and days on which nothing was expected.
-- Parameters: first_day, last_day (inclusive), instance_id (NULL: every).
-- Returns: instance_name, stat_date, expected (NULL: never listed), measured, recovered, estimated, missing, reasons (text[]).
select
    i.name as instance_name,
    c.stat_date,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    c.reasons
from coverage_between(%(first_day)s::date, %(last_day)s::date) as c
inner join instances as i on c.instance_id = i.instance_id
where %(instance_id)s::integer is null or c.instance_id = %(instance_id)s::integer
order by i.name, c.stat_date
