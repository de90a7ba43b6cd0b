-- Where sizes land by COPY before one statement takes them over; emptied at the end of the transaction. The widths are bounded so
-- that it needs no TOAST table: emptying that and its index made every commit a millisecond longer.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists staged_sizes (
    instance_id integer not null,
    database_name varchar(256) not null,
    stat_date date not null,
    total_bytes bigint not null,
    data_bytes bigint,
    log_bytes bigint,
    collected_at timestamptz not null,
    provenance varchar(16) not null,
    method varchar(64) not null,
    growth_limit_bytes bigint,
    used_bytes bigint
) on commit delete rows
