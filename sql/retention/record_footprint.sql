-- Record the disk usage of the installation on a day; the last measurement of a day counts.
-- Parameters: measured_on, kinds (text[]) and sizes (bigint[]), in pairs.
-- Returns: nothing.
insert into footprints (measured_on, kind, total_bytes)
select
    %(measured_on)s::date as measured_on,
    f.kind,
    f.total_bytes
from unnest(%(kinds)s::text[], %(sizes)s::bigint[]) as f (kind, total_bytes)
on conflict (measured_on, kind) do update
    set total_bytes = excluded.total_bytes
