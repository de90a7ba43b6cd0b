-- Apply to an inventory what a listing did not have: names that leave it, and names that the guard keeps.
-- Parameters: instance_id, day; deactivated, held (text[]).
-- Returns: nothing.
with held as (
    update instance_databases
    set absent_since_date = coalesce(absent_since_date, %(day)s)
    where instance_id = %(instance_id)s and database_name = any(%(held)s::text[])
)

update instance_databases
set
    is_active = false,
    deleted_at = now(),
    absent_since_date = null
where instance_id = %(instance_id)s and database_name = any(%(deactivated)s::text[]) and is_active
