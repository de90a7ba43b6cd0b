-- The tables inside a database. An observation says that the tables of a database were read on a day, or why they were not; the sizes have
-- a row for as long as they do not change. Each month begins anew, so that a month can expire without taking what is still valid.
-- Parameters: none.
-- Returns: nothing.

create table table_size_observations (
    instance_id integer not null,
    database_name text not null,
    stat_date date not null,
    collected_at timestamptz not null,
    total_bytes bigint check (total_bytes >= 0),
    -- rows of this day, and what is beyond the limit
    row_count integer,
    smaller_tables integer,
    smaller_partitions integer,
    -- tables without a size: schema_name, table_name, partition_name, reason, detail
    missing jsonb not null default '[]' check (jsonb_typeof(missing) = 'array'),
    -- of all sizes of the day; equal to that of the observation before where nothing changed
    sizes_digest text,
    reason text check (reason ~ '^[a-z_]+$'),
    detail text,
    session_id uuid,
    primary key (instance_id, database_name, stat_date),
    check ((reason is null) = (total_bytes is not null)),
    check ((reason is null) = (sizes_digest is not null)),
    check ((reason is null) = (detail is null))
) partition by range (stat_date);

create table table_size_stats (
    instance_id integer not null,
    database_name text not null,
    schema_name text not null,
    table_name text not null,
    partition_name text not null,
    kind text not null,
    stat_date date not null,
    until_date date check (until_date > stat_date),
    total_bytes bigint not null check (total_bytes >= 0),
    data_bytes bigint check (data_bytes >= 0),
    index_bytes bigint check (index_bytes >= 0),
    lob_bytes bigint check (lob_bytes >= 0),
    row_estimate bigint check (row_estimate >= 0),
    method text not null,
    primary key (instance_id, database_name, schema_name, table_name, partition_name, kind, stat_date)
) partition by range (stat_date);

-- One row for each table and day on which it was read.
create view table_sizes as
select
    s.instance_id,
    s.database_name,
    o.stat_date,
    s.schema_name,
    s.table_name,
    s.partition_name,
    s.kind,
    s.total_bytes,
    s.data_bytes,
    s.index_bytes,
    s.lob_bytes,
    s.row_estimate,
    s.method
from table_size_observations as o
inner join table_size_stats as s
    on
        o.instance_id = s.instance_id
        and o.database_name = s.database_name
        and s.stat_date between date_trunc('month', o.stat_date)::date and o.stat_date
        and (s.until_date is null or s.until_date > o.stat_date)
where o.reason is null;

alter table sync_sessions drop constraint sync_sessions_sync_category_check;
alter table sync_sessions add constraint sync_sessions_sync_category_check check (
    sync_category in ('capacity', 'aggregation', 'account', 'classification', 'partition', 'tables')
);
