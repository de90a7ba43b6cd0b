-- The store of domain.md section 2: the fleet, its sizes by day, their aggregations, the sessions, the gaps.
-- Parameters: none.
-- Returns: nothing. The four big tables are partitioned by calendar month; their table partitions are made when written into.

create table credentials (
    credential_id integer generated always as identity primary key,
    name text not null unique check (name <> ''),
    username text not null,
    -- a reference (env:NAME, file:PATH) or a ciphertext (encrypted:TOKEN); NULL is a login without a password
    secret text check (secret ~ '^(env|file|encrypted):.'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table instances (
    instance_id integer generated always as identity primary key,
    name text not null unique check (name <> ''),
    engine text not null check (engine in ('postgresql', 'mysql', 'sqlserver', 'oracle')),
    host text not null check (host <> ''),
    port integer not null check (port between 1 and 65535),
    default_database text,
    credential_id integer not null references credentials,
    sslmode text check (sslmode in ('disable', 'prefer', 'require', 'verify-ca', 'verify-full')),
    sslrootcert text,
    tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
    capacity_limit_bytes bigint check (capacity_limit_bytes > 0),
    is_active boolean not null default true,
    deactivated_at timestamptz,
    deleted_at timestamptz,
    server_version text,
    last_connected_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (is_active = (deactivated_at is null)),
    check (deleted_at is null or not is_active)
);

create table instance_databases (
    instance_id integer not null references instances,
    database_name text not null,
    is_active boolean not null default true,
    first_seen_date date not null,
    last_seen_date date not null check (last_seen_date >= first_seen_date),
    -- the first day whose listing lacked it while the inventory guard kept it
    absent_since_date date,
    -- NULL: it could never yet be measured, so it is no part of expected_count
    first_measured_date date,
    deleted_at timestamptz,
    primary key (instance_id, database_name),
    check (is_active = (deleted_at is null))
);

create table sync_sessions (
    session_id uuid primary key,
    run_id text,
    sync_category text not null check (sync_category in ('capacity', 'aggregation', 'account', 'classification', 'partition')),
    sync_type text not null check (sync_type in ('scheduled_task', 'manual_task', 'manual_batch', 'retry', 'backfill')),
    status text not null default 'running' check (status in ('running', 'completed', 'failed', 'cancelled')),
    total_instances integer not null default 0,
    successful_instances integer not null default 0,
    failed_instances integer not null default 0,
    skipped_instances integer not null default 0,
    first_day date not null,
    last_day date not null check (last_day >= first_day),
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    retry_of uuid references sync_sessions,
    unique (run_id, sync_category),
    check ((status = 'running') = (completed_at is null))
);
create index sync_sessions_by_start on sync_sessions (started_at desc);

create table sync_instance_records (
    session_id uuid not null references sync_sessions on delete cascade,
    instance_id integer not null references instances,
    status text not null default 'pending' check (status in ('pending', 'running', 'completed', 'failed')),
    is_skipped boolean not null default false,
    attempts integer not null default 0,
    started_at timestamptz,
    completed_at timestamptz,
    items_synced integer not null default 0,
    items_created integer not null default 0,
    items_updated integer not null default 0,
    items_deleted integer not null default 0,
    error_code text,
    error_message text,
    sync_details jsonb not null default '{}',
    primary key (session_id, instance_id),
    check ((status = 'failed') = (error_code is not null)),
    check ((status in ('completed', 'failed')) = (completed_at is not null)),
    check (not is_skipped or status = 'completed')
);
create index sync_instance_records_by_instance on sync_instance_records (instance_id);

-- The one table of state moves (domain.md section 5): a row that is not here is a move that the database refuses.
create table sync_state_moves (
    table_name text not null,
    from_status text not null,
    to_status text not null,
    primary key (table_name, from_status, to_status)
);
insert into sync_state_moves (table_name, from_status, to_status) values
('sync_sessions', 'running', 'completed'),
('sync_sessions', 'running', 'failed'),
('sync_sessions', 'running', 'cancelled'),
('sync_instance_records', 'pending', 'running'),
('sync_instance_records', 'running', 'completed'),
('sync_instance_records', 'running', 'failed');

create function guard_sync_state() returns trigger language plpgsql as $$
begin
    if new.status = old.status then
        if old.status in ('completed', 'failed', 'cancelled') and new is distinct from old then
            raise exception '% is % for ever: it cannot be changed', tg_table_name, old.status using errcode = 'check_violation';
        end if;
    elsif not exists (
        select 1 from sync_state_moves as m
        where m.table_name = tg_table_name and m.from_status = old.status and m.to_status = new.status
    ) then
        raise exception '% cannot move from % to %', tg_table_name, old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create function guard_sync_start() returns trigger language plpgsql as $$
begin
    if new.status <> tg_argv[0] then
        raise exception '% starts as %, not as %', tg_table_name, tg_argv[0], new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger sync_sessions_moves before update on sync_sessions for each row execute function guard_sync_state();
create trigger sync_sessions_start before insert on sync_sessions for each row execute function guard_sync_start('running');
create trigger sync_instance_records_moves before update on sync_instance_records for each row execute function guard_sync_state();
create trigger sync_instance_records_start before insert on sync_instance_records for each row execute function guard_sync_start('pending');

-- No foreign key from the big tables: its per-row check would double the cost of a bulk write, and instances are never deleted for real.
create table database_size_stats (
    instance_id integer not null,
    database_name text not null,
    stat_date date not null,
    total_bytes bigint not null check (total_bytes >= 0),
    data_bytes bigint check (data_bytes >= 0),
    log_bytes bigint check (log_bytes >= 0),
    collected_at timestamptz not null,
    provenance text not null check (provenance in ('measured', 'recovered', 'estimated')),
    method text not null,
    session_id uuid,
    primary key (instance_id, database_name, stat_date)
) partition by range (stat_date);
create index database_size_stats_by_day on database_size_stats (stat_date);

create table instance_size_stats (
    instance_id integer not null,
    stat_date date not null,
    total_bytes bigint not null check (total_bytes >= 0),
    database_count integer not null check (database_count > 0),
    expected_count integer not null check (expected_count >= database_count),
    collected_at timestamptz not null,
    provenance text not null check (provenance in ('measured', 'recovered', 'estimated')),
    session_id uuid,
    primary key (instance_id, stat_date)
) partition by range (stat_date);
create index instance_size_stats_by_day on instance_size_stats (stat_date);

create table database_size_aggregations (
    instance_id integer not null,
    database_name text not null,
    period_type text not null check (period_type in ('daily', 'weekly', 'monthly', 'quarterly')),
    period_start date not null,
    period_end date not null check (period_end >= period_start),
    avg_bytes bigint,
    max_bytes bigint,
    min_bytes bigint,
    opening_bytes bigint,
    closing_bytes bigint,
    data_count integer not null,
    expected_count integer not null,
    estimated_count integer not null,
    change_bytes bigint,
    change_percent numeric(12, 2),
    is_final boolean not null,
    calculated_at timestamptz not null default now(),
    primary key (instance_id, database_name, period_type, period_start)
) partition by range (period_start);

create table instance_size_aggregations (
    instance_id integer not null,
    period_type text not null check (period_type in ('daily', 'weekly', 'monthly', 'quarterly')),
    period_start date not null,
    period_end date not null check (period_end >= period_start),
    avg_bytes bigint,
    max_bytes bigint,
    min_bytes bigint,
    opening_bytes bigint,
    closing_bytes bigint,
    data_count integer not null,
    expected_count integer not null,
    estimated_count integer not null,
    change_bytes bigint,
    change_percent numeric(12, 2),
    avg_database_count numeric(12, 2),
    max_database_count integer,
    min_database_count integer,
    trend_direction text check (trend_direction in ('growing', 'stable', 'shrinking')),
    is_final boolean not null,
    calculated_at timestamptz not null default now(),
    primary key (instance_id, period_type, period_start)
) partition by range (period_start);

create table capacity_gaps (
    instance_id integer not null references instances,
    -- NULL: the instance as a whole, whose databases have never been listed
    database_name text,
    stat_date date not null,
    reason text not null check (reason ~ '^[a-z_]+$'),
    detail text not null,
    session_id uuid,
    closed_by text check (closed_by in ('measured', 'recovered', 'estimated')),
    unique nulls not distinct (instance_id, database_name, stat_date)
);
create index capacity_gaps_by_day on capacity_gaps (stat_date) where closed_by is null;

-- Per instance and day: what was expected, what is there, what is missing and why. A day on which nothing ran for an instance
-- expects the inventory of that day. expected is NULL where the databases of an instance have never been listed.
create view capacity_coverage as
with calendar as (
    select day::date as stat_date
    from generate_series((select min(first_seen_date) from instance_databases)::timestamp, current_date::timestamp, interval '1 day') as day
),

outcomes as (
    select
        stat_date,
        instance_id,
        count(*) filter (where provenance = 'measured') as measured,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated,
        0 as missing,
        null::text as reason
    from database_size_stats
    group by stat_date, instance_id
    union all
    select
        stat_date,
        instance_id,
        0,
        0,
        0,
        count(database_name),
        reason
    from capacity_gaps
    where closed_by is null
    group by stat_date, instance_id, reason
    union all
    select
        c.stat_date,
        d.instance_id,
        0,
        0,
        0,
        count(*),
        'not_collected'
    from calendar as c
    inner join instance_databases as d on c.stat_date >= d.first_seen_date and (d.is_active or c.stat_date <= d.last_seen_date)
    inner join instances as i on d.instance_id = i.instance_id and (i.deactivated_at is null or c.stat_date < i.deactivated_at::date)
    where
        not exists (select 1 from database_size_stats as s where s.instance_id = d.instance_id and s.stat_date = c.stat_date)
        and not exists (select 1 from capacity_gaps as g where g.instance_id = d.instance_id and g.stat_date = c.stat_date)
    group by c.stat_date, d.instance_id
)

select
    stat_date,
    instance_id,
    nullif(sum(measured + recovered + estimated + missing), 0)::integer as expected,
    sum(measured)::integer as measured,
    sum(recovered)::integer as recovered,
    sum(estimated)::integer as estimated,
    sum(missing)::integer as missing,
    coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}') as reasons
from outcomes
group by stat_date, instance_id;
