-- The disk usage of the installation on the first recorded day of a span.
-- Parameters: first_day, end_day (exclusive).
-- Returns: measured_on, kind, total_bytes.
select
    measured_on,
    kind,
    total_bytes
from footprints
where
    measured_on = (
        select min(f.measured_on) from footprints as f
        where f.measured_on >= %(first_day)s::date and f.measured_on < %(end_day)s::date
    )
order by kind
