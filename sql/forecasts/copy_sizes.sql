-- Export the measured and recovered days of databases, and with database_id 0 the complete days of their servers. In PostgreSQL's binary
-- format each row has the same length, so that an array reads it without parsing.
-- Parameters: instance_ids, first_day, day (literals).
-- Returns: instance_id, database_id, days since first_day, total_bytes.
copy (
    select
        h.instance_id,
        h.database_id,
        h.stat_date - {first_day}::date as column_number,
        h.total_bytes
    from database_histories as h
    where
        h.instance_id = any({instance_ids}::integer[])
        and h.stat_date between {first_day}::date and {day}::date
        and h.provenance <> 'estimated'
    union all
    select
        t.instance_id,
        0,
        t.stat_date - {first_day}::date,
        t.total_bytes
    from instance_size_stats as t
    where
        t.instance_id = any({instance_ids}::integer[])
        and t.stat_date between {first_day}::date and {day}::date
        and t.provenance <> 'estimated'
        and t.database_count = t.expected_count
) to stdout with binary
