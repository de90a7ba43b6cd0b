-- How many accounts and privileges changed between two days, by kind of change.
-- Parameters: first_day, last_day (inclusive).
-- Returns: change_type, changes, instances.
select
    change_type,
    count(*)::integer as changes,
    count(distinct instance_id)::integer as instances
from account_change_log
where day between %(first_day)s and %(last_day)s
group by change_type
order by change_type
