-- Take over the staged sizes. A second measurement of a day replaces the first; an estimated or recovered value never
-- replaces a measured one, and an estimated one is replaced by nothing but a better one.
-- Parameters: session_id (NULL outside a session).
-- Returns: nothing.
insert into database_size_stats (
    instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, method, session_id
)
select
    instance_id,
    database_name,
    stat_date,
    total_bytes,
    data_bytes,
    log_bytes,
    collected_at,
    provenance,
    method,
    %(session_id)s::uuid
from staged_sizes
on conflict (instance_id, database_name, stat_date) do update
    set
        total_bytes = excluded.total_bytes,
        data_bytes = excluded.data_bytes,
        log_bytes = excluded.log_bytes,
        collected_at = excluded.collected_at,
        provenance = excluded.provenance,
        method = excluded.method,
        session_id = excluded.session_id
    where excluded.provenance = 'measured' or (excluded.provenance = 'recovered' and database_size_stats.provenance = 'estimated')
