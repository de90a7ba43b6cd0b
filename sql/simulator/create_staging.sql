-- The simulated days of some servers, emptied when the transaction ends. No size is a gap.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists simulated_days (
    instance_id integer not null,
    database_name text not null,
    stat_date date not null,
    total_bytes bigint,
    reason text
) on commit delete rows
