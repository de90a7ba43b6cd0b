-- What the installation takes on disk by its newest measurement of the week before a day.
-- Parameters: day, warning_gib.
-- Returns: instance_id, database_id (both NULL), occurred_on, figures.
select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object('total_bytes', sum(total_bytes), 'day', min(measured_on), 'largest', (array_agg(kind order by total_bytes desc))[1])
        as figures
from footprints
where measured_on = (select max(f.measured_on) from footprints as f where f.measured_on between %(day)s::date - 6 and %(day)s)
having sum(total_bytes) >= %(warning_gib)s::bigint * 1073741824
