-- A day keeps what it was when it ended: which instances were active, which databases were expected and which of them could be measured.
-- A server has an identity, a database a life across renames, and what belongs to no database has its bytes.
-- Parameters: none.
-- Returns: nothing.

-- When an instance was active: from a day until the day before another. Days outside are not expected.
create table instance_activity (
    instance_id integer not null references instances,
    active_from date not null,
    active_until date check (active_until >= active_from),
    primary key (instance_id, active_from)
);
create unique index instance_activity_open on instance_activity (instance_id) where active_until is null;
insert into instance_activity (instance_id, active_from, active_until)
select
    i.instance_id,
    least(i.created_at::date, d.first_day),
    greatest(i.deactivated_at::date, i.created_at::date, d.first_day)
from instances as i
left join (
    select
        instance_id,
        min(first_seen_date) as first_day
    from instance_databases
    group by instance_id
) as d on i.instance_id = d.instance_id;

-- Whatever statement switches an instance on or off, an interval begins or ends on the day that the row says. Off and on again on one
-- day is no pause.
create function record_instance_activity() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into instance_activity (instance_id, active_from) values (new.instance_id, new.created_at::date);
    elsif new.is_active then
        update instance_activity set active_until = null where instance_id = new.instance_id and active_until >= new.updated_at::date;
        if not found then
            insert into instance_activity (instance_id, active_from) values (new.instance_id, new.updated_at::date);
        end if;
    else
        update instance_activity set active_until = greatest(active_from, new.deactivated_at::date)
        where instance_id = new.instance_id and active_until is null;
    end if;
    return null;
end $$;
create trigger instances_begin_activity after insert on instances
for each row when (new.is_active) execute function record_instance_activity();
create trigger instances_change_activity after update of is_active on instances
for each row when (new.is_active <> old.is_active) execute function record_instance_activity();

-- When a database was in the inventory, under which name. All names of one database have one database_id (within the instance); a
-- database that was dropped and created again under its name has another one.
create table database_activity (
    instance_id integer not null references instances,
    database_name text not null,
    active_from date not null,
    active_until date check (active_until >= active_from),
    database_id integer not null,
    -- NULL: it could never yet be measured, so it is no part of expected_count
    first_measured_date date,
    primary key (instance_id, database_name, active_from)
);
create unique index database_activity_open on database_activity (instance_id, database_name) where active_until is null;
create index database_activity_by_database on database_activity (instance_id, database_id);
create index database_activity_by_start on database_activity (active_from);
insert into database_activity (instance_id, database_name, active_from, active_until, database_id, first_measured_date)
select
    instance_id,
    database_name,
    first_seen_date,
    case when not is_active then last_seen_date + 1 end,
    row_number() over (partition by instance_id order by first_seen_date, database_name),
    first_measured_date
from instance_databases;

-- Which name the database had on the day before it began to be called as it is; NULL where there was no such database.
create view database_starts as
select
    a.instance_id,
    a.database_name,
    a.active_from,
    before.database_name as name_before
from database_activity as a
left join database_activity as before
    on a.instance_id = before.instance_id and a.database_id = before.database_id and a.active_from = before.active_until;

alter table instance_databases add column native_id text;
alter table instance_databases add column renamed_from text;
alter table instance_databases drop column first_measured_date;

-- Whether the database of a gap had been measured by that day. It is part of the day's denominator only then, whatever comes later.
alter table capacity_gaps add column was_measurable boolean not null default false;
update capacity_gaps as g
set was_measurable = true
from database_activity as a
where
    g.instance_id = a.instance_id
    and g.database_name = a.database_name
    and a.first_measured_date <= g.stat_date
    and g.stat_date >= a.active_from
    and (a.active_until is null or g.stat_date < a.active_until);

alter table instances add column server_identity text;
alter table instances add column server_started_at text;
-- A person says: another instance with this identity is another server all the same.
alter table instances add column is_replica boolean not null default false;
create index instances_by_identity on instances (engine, server_identity) where server_identity is not null;

alter table instance_size_stats add column shared_bytes bigint check (shared_bytes >= 0);

-- Estimates of before this check could exceed their total by one byte: total, data and log were rounded apart.
update database_size_stats
set log_bytes = total_bytes - data_bytes
where provenance = 'estimated' and data_bytes + log_bytes > total_bytes;
alter table database_size_stats add constraint database_size_stats_parts check (
    coalesce(data_bytes, 0)::numeric + coalesce(log_bytes, 0) <= total_bytes
);

-- Per instance and day: what was expected, what is there, what is missing and why. A day on which nothing ran for an instance expects
-- the inventory of that day, as far as the instance was active. expected is NULL where the databases of an instance have never been
-- listed. Days before the first that is stored have expired, or are before the first collection.
create or replace view capacity_coverage as
with calendar as (
    select day::date as stat_date
    from generate_series((select min(stat_date) from instance_size_stats)::timestamp, current_date::timestamp, interval '1 day') as day
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
    inner join database_activity as d on c.stat_date >= d.active_from and (d.active_until is null or c.stat_date < d.active_until)
    inner join instance_activity as i
        on d.instance_id = i.instance_id and c.stat_date >= i.active_from and (i.active_until is null or c.stat_date < i.active_until)
    where
        not exists (select 1 from database_size_stats as s where s.instance_id = d.instance_id and s.stat_date = c.stat_date)
        and not exists (
            select 1 from capacity_gaps as g
            where g.instance_id = d.instance_id and g.stat_date = c.stat_date and g.closed_by is null
        )
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
