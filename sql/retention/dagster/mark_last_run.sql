-- Remember the number of the last run from which events were deleted, so that the next time begins after it.
-- Parameters: number. It runs in Dagster's database.
-- Returns: nothing.
insert into kvs (key, value)
values ('whalefall/events_deleted_up_to_run', %(number)s::text)
on conflict (key) do update
    set value = excluded.value
