-- Take the listed databases of some instances over into their inventories. A renamed database keeps its dates.
-- Parameters: day; instance_ids (integer[]), listed, native_ids, predecessors (text[]), an entry per listed database: its instance, its
-- name, the server's own identifier or NULL, the name that it had before, which is the same name for most and NULL for a new database.
-- Returns: nothing.
insert into instance_databases (instance_id, database_name, native_id, renamed_from, first_seen_date, last_seen_date)
select
    l.instance_id,
    l.database_name,
    l.native_id,
    case when l.predecessor = l.database_name then p.renamed_from else l.predecessor end,
    least(coalesce(p.first_seen_date, %(day)s), %(day)s),
    %(day)s
from
    unnest(%(instance_ids)s::integer[], %(listed)s::text[], %(native_ids)s::text[], %(predecessors)s::text[])
        as l (instance_id, database_name, native_id, predecessor)
left join instance_databases as p on l.instance_id = p.instance_id and l.predecessor = p.database_name
on conflict (instance_id, database_name) do update
    set
        is_active = true,
        deleted_at = null,
        absent_since_date = null,
        native_id = coalesce(excluded.native_id, instance_databases.native_id),
        renamed_from = excluded.renamed_from,
        first_seen_date = excluded.first_seen_date,
        last_seen_date = greatest(instance_databases.last_seen_date, excluded.last_seen_date)
