-- The coverage of table sizes of every instance on each of these days, without instances and days on which nothing was to be read.
-- Parameters: first_day, last_day (inclusive).
-- Returns: instance_name, stat_date, expected, measured, missing (databases), reasons (text[]), missing_tables.
select
    i.name as instance_name,
    c.stat_date,
    c.expected,
    c.measured,
    c.missing,
    c.reasons,
    c.missing_tables
from table_size_coverage as c
inner join instances as i on c.instance_id = i.instance_id
where c.stat_date between %(first_day)s and %(last_day)s
order by i.name, c.stat_date
