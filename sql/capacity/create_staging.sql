-- Where sizes land by COPY before one statement takes them over; emptied at the end of the transaction.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists staged_sizes (
    instance_id integer not null,
    database_name text not null,
    stat_date date not null,
    total_bytes bigint not null,
    data_bytes bigint,
    log_bytes bigint,
    collected_at timestamptz not null,
    provenance text not null,
    method text not null
) on commit delete rows
