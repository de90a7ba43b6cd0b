-- The ones of these months, of which no days are stored, whose days were there once: their monthly aggregation outlived them.
-- Parameters: months (date[], first days).
-- Returns: first_day.
select m.first_day
from unnest(%(months)s::date[]) as m (first_day)
where exists (
    select 1
    from database_size_aggregations as a
    where
        a.period_type = 'monthly'
        and a.period_start = m.first_day
        and a.data_count > 0
)
