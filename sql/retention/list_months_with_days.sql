-- Which of these months of an aggregation have daily rows beside those of their last day, to which the next month's first day is compared.
-- Parameters: table_name (identifier), months (date[], first days). Each month is one look into the index of its own table partition.
-- Returns: first_day.
select m.first_day
from unnest(%(months)s::date[]) as m (first_day)
where exists (
    select 1
    from {table_name} as a
    where
        a.period_type = 'daily'
        and a.period_start >= m.first_day
        and a.period_start < (m.first_day + interval '1 month' - interval '1 day')::date
)
