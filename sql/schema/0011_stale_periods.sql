-- A ledger of the periods that must be computed again, so that refreshing them costs what has changed and not what is stored. Triggers
-- write it in the transaction that changes a day, whoever changes it. Nothing is unique here: visits of one day would wait for each other.
-- And days are found by a BRIN index, because their rows lie together: it is a thousandth of the size of a B-tree, and writing a day costs
-- an eighth less. Only what autovacuum has summarized is in it, which is asked for as soon as a range of pages is full.
-- Parameters: none.
-- Returns: nothing. What the nightly comparison has not seen yet is in the ledger from the start: days of which nothing was computed, the
-- days of the last sessions, and the periods that were running.
create table stale_periods (
    period_type text not null check (period_type in ('daily', 'weekly', 'monthly', 'quarterly')),
    period_start date not null,
    -- a running period is computed again on each of its days, and once more when it is over
    due_on date not null default '-infinity'
);

create function mark_stale_periods() returns trigger language plpgsql as $$
declare
    days date[];
begin
    if tg_op = 'UPDATE' then
        days := array(select stat_date from changed union select stat_date from previous);
    else
        days := array(select distinct stat_date from changed);
    end if;
    insert into stale_periods (period_type, period_start)
    select distinct
        p.period_type,
        date_trunc(p.unit, d.day::timestamp)::date
    from unnest(days) as d (day)
    cross join (values ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter')) as p (period_type, unit);
    return null;
end $$;

create trigger inserted_days_are_stale after insert on database_size_stats
referencing new table as changed for each statement execute function mark_stale_periods();
create trigger updated_days_are_stale after update on database_size_stats
referencing old table as previous new table as changed for each statement execute function mark_stale_periods();
create trigger deleted_days_are_stale after delete on database_size_stats
referencing old table as changed for each statement execute function mark_stale_periods();

create trigger inserted_days_are_stale after insert on instance_size_stats
referencing new table as changed for each statement execute function mark_stale_periods();
create trigger updated_days_are_stale after update on instance_size_stats
referencing old table as previous new table as changed for each statement execute function mark_stale_periods();
create trigger deleted_days_are_stale after delete on instance_size_stats
referencing old table as changed for each statement execute function mark_stale_periods();

create trigger inserted_days_are_stale after insert on capacity_gaps
referencing new table as changed for each statement execute function mark_stale_periods();
create trigger updated_days_are_stale after update on capacity_gaps
referencing old table as previous new table as changed for each statement execute function mark_stale_periods();
create trigger deleted_days_are_stale after delete on capacity_gaps
referencing old table as changed for each statement execute function mark_stale_periods();

with unseen as (
    select stat_date as day from instance_size_stats
    except
    select period_start from instance_size_aggregations
    where period_type = 'daily'
    union
    select d.day::date
    from sync_sessions as s
    cross join lateral generate_series(s.first_day::timestamp, s.last_day::timestamp, interval '1 day') as d (day)
    where s.sync_category = 'capacity' and s.started_at > now() - interval '2 days'
)

insert into stale_periods (period_type, period_start)
select
    p.period_type,
    date_trunc(p.unit, u.day::timestamp)::date
from unseen as u
cross join (values ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter')) as p (period_type, unit)
union
select
    period_type,
    period_start
from instance_size_aggregations
where not is_final
union
select
    period_type,
    period_start
from database_size_aggregations
where not is_final;

drop index database_size_stats_by_day;
create index database_size_stats_by_day on database_size_stats using brin (stat_date) with (autosummarize = on);
