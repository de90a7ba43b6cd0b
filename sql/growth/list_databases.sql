-- The databases that changed the most between two days, in either direction, each with its bar.
-- Parameters: first_day, last_day, most (rows).
-- Returns: the fields of DatabaseBar.
select
    d.instance_id,
    d.instance_name,
    d.engine,
    d.tags,
    d.database_id,
    d.database_name,
    d.name_before,
    d.bar,
    d.change_bytes,
    d.first_bytes,
    d.last_bytes,
    d.is_estimated
from capacity_attribution(%(first_day)s::date, %(last_day)s::date) as d
where d.bar is not null
order by abs(d.change_bytes) desc, d.instance_name, d.database_name
limit %(most)s
