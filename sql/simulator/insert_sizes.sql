-- The sizes of the simulated days, permanently marked as simulated.
-- Parameters: none.
-- Returns: nothing.
insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, data_bytes, collected_at, provenance, method)
select
    instance_id,
    database_name,
    stat_date,
    total_bytes,
    total_bytes,
    stat_date + interval '3 hours',
    'measured',
    'simulated'
from simulated_days
where total_bytes is not null
