-- Those of these months whose days were stored once and have expired: their monthly aggregations still exist.
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
