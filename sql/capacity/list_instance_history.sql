-- One instance day by day, with the coverage of its databases. Days on which nothing was expected have no row.
-- Parameters: instance_id, first_day, last_day (inclusive).
-- Returns: total_bytes (of the databases that have a size; NULL: none has), and the fields of Coverage.
select
    s.total_bytes,
    i.name as instance_name,
    c.stat_date,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    c.reasons
from capacity_coverage as c
inner join instances as i on c.instance_id = i.instance_id
left join instance_size_stats as s
    on c.instance_id = s.instance_id and c.stat_date = s.stat_date and s.stat_date between %(first_day)s and %(last_day)s
where c.instance_id = %(instance_id)s and c.stat_date between %(first_day)s and %(last_day)s
order by c.stat_date
