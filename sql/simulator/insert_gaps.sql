-- What is missing on the simulated days.
-- Parameters: none.
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, was_measurable)
select
    d.instance_id,
    d.database_name,
    d.stat_date,
    d.reason,
    'simulated',
    coalesce(a.first_measured_date <= d.stat_date, false)
from simulated_days as d
inner join database_activity as a on d.instance_id = a.instance_id and d.database_name = a.database_name
where d.total_bytes is null
