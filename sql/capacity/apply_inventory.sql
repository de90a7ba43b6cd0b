-- Write what a listing did to an inventory.
-- Parameters: instance_id, day, listed, deactivated, held (text[], no name in two of them).
-- Returns: nothing.
with listed as (
    insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date)
    select
        %(instance_id)s,
        l.database_name,
        %(day)s,
        %(day)s
    from unnest(%(listed)s::text[]) as l (database_name)
    on conflict (instance_id, database_name) do update
        set
            is_active = true,
            deleted_at = null,
            absent_since_date = null,
            first_seen_date = least(instance_databases.first_seen_date, excluded.first_seen_date),
            last_seen_date = greatest(instance_databases.last_seen_date, excluded.last_seen_date)
),

held as (
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
