-- What every instance gave on each of these days, instances and days without anything expected left out.
-- Parameters: first_day, last_day (inclusive).
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
from generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') as d (day)
cross join
    lateral (
        select * from capacity_coverage as v
        where v.stat_date = d.day::date
        order by v.instance_id
        offset 0  -- one day at a time: of a range of days the view reads every day that is stored
    ) as c
inner join instances as i on c.instance_id = i.instance_id
order by i.name, c.stat_date
