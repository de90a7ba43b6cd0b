-- What follows from staged sizes: their gaps are closed, and their databases count as measurable from that day on.
-- Parameters: none.
-- Returns: nothing.
with closed as (
    update capacity_gaps as g
    set closed_by = s.provenance
    from staged_sizes as s
    where
        g.instance_id = s.instance_id
        and g.stat_date = s.stat_date
        and (g.database_name = s.database_name or g.database_name is null)
        and g.closed_by is null
),

firsts as (
    select
        instance_id,
        database_name,
        min(stat_date) as stat_date
    from staged_sizes
    group by instance_id, database_name
)

update instance_databases as d
set first_measured_date = f.stat_date
from firsts as f
where
    d.instance_id = f.instance_id
    and d.database_name = f.database_name
    and (d.first_measured_date is null or d.first_measured_date > f.stat_date)
