-- How many periods of each type are to be computed, by the ledger of changes.
-- Parameters: today.
-- Returns: period_type, due.
select
    period_type,
    count(distinct period_start)::integer as due
from stale_periods
where due_on <= %(today)s::date
group by period_type
order by period_type
