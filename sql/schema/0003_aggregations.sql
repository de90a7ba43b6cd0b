-- Aggregations are read by period, and a database that grows from one byte has a percentage of more digits than twelve. A day whose sizes
-- were deleted is missing again, also where a gap of it had once been closed.
-- Parameters: none.
-- Returns: nothing.
create index database_size_aggregations_by_period on database_size_aggregations (period_type, period_start);
create index instance_size_aggregations_by_period on instance_size_aggregations (period_type, period_start);
alter table database_size_aggregations alter column change_percent type numeric(24, 2);
alter table instance_size_aggregations alter column change_percent type numeric(24, 2);

-- As in 0001, but a closed gap does not hide that nothing is stored.
create or replace view capacity_coverage as
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
