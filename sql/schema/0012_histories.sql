-- The sizes of a database are found under all names that it had, at one place. And what asks for the databases of a day does not read those
-- that were gone before it.
-- Parameters: none.
-- Returns: nothing.

-- Every stored size with the database that it is of, whatever the database was called on that day.
create view database_histories as
select
    n.instance_id,
    n.database_id,
    s.stat_date,
    s.total_bytes,
    s.data_bytes,
    s.log_bytes,
    s.provenance
from database_activity as n
inner join database_size_stats as s
    on
        n.instance_id = s.instance_id
        and n.database_name = s.database_name
        and s.stat_date >= n.active_from
        and (n.active_until is null or s.stat_date < n.active_until);

create index database_activity_by_end on database_activity (active_until);
-- Finds the databases of a day that the planner does not know: by two comparisons, all that ever were would be compared.
create index database_activity_by_days on database_activity using gist (daterange(active_from, active_until));
-- A database is written when it is listed and again when it is first measured, which touches no index where its page has room.
alter table database_activity set (fillfactor = 50);

-- Statements fire their triggers whether they change a row or not, and a visit has more that do not.
create or replace function mark_stale_periods() returns trigger language plpgsql as $$
declare
    days date[];
begin
    if tg_op = 'UPDATE' then
        days := array(select stat_date from changed union select stat_date from previous);
    else
        days := array(select distinct stat_date from changed);
    end if;
    if cardinality(days) = 0 then
        return null;
    end if;
    insert into stale_periods (period_type, period_start)
    select distinct
        p.period_type,
        date_trunc(p.unit, d.day::timestamp)::date
    from unnest(days) as d (day)
    cross join (values ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter')) as p (period_type, unit);
    return null;
end $$;

-- As before, but the inventory of a day is put aside where anything is known of the instance, instead of looking that up for each day: the
-- months of a range of days are read once, and the planner sees which they are.
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
        0 as in_inventory,
        null::text as reason,
        true as is_known
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
        0,
        reason,
        true
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
        0,
        count(*),
        null,
        false
    from calendar as c
    inner join database_activity as d on c.stat_date <@ daterange(d.active_from, d.active_until)
    inner join instance_activity as i
        on d.instance_id = i.instance_id and c.stat_date >= i.active_from and (i.active_until is null or c.stat_date < i.active_until)
    group by c.stat_date, d.instance_id
),

days as (
    select
        stat_date,
        instance_id,
        sum(measured)::integer as measured,
        sum(recovered)::integer as recovered,
        sum(estimated)::integer as estimated,
        (case when bool_or(is_known) then sum(missing) else sum(in_inventory) end)::integer as missing,
        case
            when bool_or(is_known) then coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}')
            else '{not_collected}'
        end as reasons
    from outcomes
    group by stat_date, instance_id
)

select
    stat_date,
    instance_id,
    nullif(measured + recovered + estimated + missing, 0) as expected,
    measured,
    recovered,
    estimated,
    missing,
    reasons
from days;

-- The same rule without numeric arithmetic, which each row of a bulk write paid for: no size is negative, so nothing overflows.
alter table database_size_stats drop constraint database_size_stats_parts;
alter table database_size_stats add constraint database_size_stats_parts check (
    coalesce(data_bytes, 0) <= total_bytes - coalesce(log_bytes, 0)
);
