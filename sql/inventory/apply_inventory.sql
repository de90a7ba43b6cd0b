-- Apply the changes of a listing to an inventory. A renamed database keeps its dates.
-- Parameters: instance_id, day; listed, native_ids, predecessors (text[], an entry per listed database: its name, the server's own
-- identifier or NULL, the name that it had before, which is the same name for most and NULL for a new database); deactivated, held
-- (text[]: names that left the inventory, names that the guard keeps).
-- Returns: nothing.
with listed as (
    select
        l.database_name,
        l.native_id,
        l.predecessor,
        least(coalesce(p.first_seen_date, %(day)s), %(day)s) as first_seen_date,
        case when l.predecessor = l.database_name then p.renamed_from else l.predecessor end as renamed_from
    from unnest(%(listed)s::text[], %(native_ids)s::text[], %(predecessors)s::text[]) as l (database_name, native_id, predecessor)
    left join instance_databases as p on p.instance_id = %(instance_id)s and l.predecessor = p.database_name
),

upserted as (
    insert into instance_databases (instance_id, database_name, native_id, renamed_from, first_seen_date, last_seen_date)
    select
        %(instance_id)s,
        database_name,
        native_id,
        renamed_from,
        first_seen_date,
        %(day)s
    from listed
    on conflict (instance_id, database_name) do update
        set
            is_active = true,
            deleted_at = null,
            absent_since_date = null,
            native_id = coalesce(excluded.native_id, instance_databases.native_id),
            renamed_from = excluded.renamed_from,
            first_seen_date = excluded.first_seen_date,
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
