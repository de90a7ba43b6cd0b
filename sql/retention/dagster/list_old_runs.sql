-- Ended runs from which events were not yet deleted and which were created before this day, oldest first.
-- Parameters: after (number of the last run that was dealt with), before (date), most. It runs in Dagster's database.
-- Returns: number, run_id.
select
    id as number,
    run_id
from runs
where id > %(after)s and create_timestamp < %(before)s::date and status in ('SUCCESS', 'FAILURE', 'CANCELED')
order by id
limit %(most)s
