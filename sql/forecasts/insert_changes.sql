-- Insert the staged changes; what is known already stays as it is.
-- Parameters: none.
-- Returns: nothing.
insert into capacity_changes (instance_id, database_id, kind, from_date, to_date, known_on, change_bytes)
select
    instance_id,
    database_id,
    kind,
    from_date,
    to_date,
    known_on,
    change_bytes
from staged_changes
on conflict do nothing
