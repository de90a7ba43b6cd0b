-- Export the measured and recovered days of databases, and with database_id 0 the complete days of their servers. In PostgreSQL's binary
-- format each row has the same length, so that an array reads it without parsing.
-- Parameters: instance_ids, first_day, day (literals).
-- Returns: instance_id, database_id, days since first_day, total_bytes.
copy (
    -- `database_histories`, with the instances as a condition of both tables: that of the one does not follow from that of the other where
    -- it is an array, and the sizes of every instance would be read.
    select
        n.instance_id,
        n.database_id,
        s.stat_date - {first_day}::date as column_number,
        s.total_bytes
    from database_activity as n
    inner join database_size_stats as s
        on
            n.instance_id = s.instance_id
            and n.database_name = s.database_name
            and s.stat_date >= n.active_from
            and (n.active_until is null or s.stat_date < n.active_until)
    where
        n.instance_id = any({instance_ids}::integer[])
        and s.instance_id = any({instance_ids}::integer[])
        and s.stat_date between {first_day}::date and {day}::date
        and s.provenance <> 'estimated'
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
