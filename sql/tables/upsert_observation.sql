-- Write the observation of a day. A second one replaces the first, but a failure never replaces sizes.
-- Parameters: instance_id, database_name, day, collected_at, total_bytes, row_count, smaller_tables, smaller_partitions, missing (json),
-- sizes_digest, reason, detail, session_id.
-- Returns: nothing.
insert into table_size_observations (
    instance_id, database_name, stat_date, collected_at, total_bytes, row_count, smaller_tables, smaller_partitions, missing,
    sizes_digest, reason, detail, session_id
)
values (
    %(instance_id)s, %(database_name)s, %(day)s, %(collected_at)s, %(total_bytes)s, %(row_count)s, %(smaller_tables)s,
    %(smaller_partitions)s, %(missing)s, %(sizes_digest)s, %(reason)s, %(detail)s, %(session_id)s
)
on conflict (instance_id, database_name, stat_date) do update
    set
        collected_at = excluded.collected_at,
        total_bytes = excluded.total_bytes,
        row_count = excluded.row_count,
        smaller_tables = excluded.smaller_tables,
        smaller_partitions = excluded.smaller_partitions,
        missing = excluded.missing,
        sizes_digest = excluded.sizes_digest,
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id
    where excluded.reason is null or table_size_observations.reason is not null
