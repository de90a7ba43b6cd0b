-- How many accounts were in a class on each of these days on which accounts were classified. An account that several rules put into it is
-- in it once.
-- Parameters: code, first_day, last_day (inclusive).
-- Returns: stat_date, accounts; in the order of the days.
with memberships as (
    -- the days of each account, without overlaps
    select
        t.account_id,
        range_agg(daterange(t.valid_from, t.valid_until)) as days
    from account_classification_assignments as t
    inner join account_classifications as c on t.classification_id = c.classification_id
    where
        c.code = %(code)s
        and t.valid_from <= %(last_day)s::date
        and (t.valid_until is null or t.valid_until > %(first_day)s::date)
    group by t.account_id
),

spans as (
    select unnest(m.days) as days
    from memberships as m
),

changes as (
    select
        lower(s.days) as stat_date,
        1 as accounts
    from spans as s
    union all
    select
        upper(s.days) as stat_date,
        -1 as accounts
    from spans as s
    where upper(s.days) is not null
),

sums as (
    select
        c.stat_date,
        sum(c.accounts) as accounts
    from changes as c
    group by c.stat_date
)

select
    d.day::date as stat_date,
    (select coalesce(sum(s.accounts), 0) from sums as s where s.stat_date <= d.day::date)::integer as accounts
from generate_series(%(first_day)s::date::timestamp, %(last_day)s::date::timestamp, interval '1 day') as d (day)
where exists (select 1 from classification_daily_counts as k where k.day = d.day::date)
order by d.day
