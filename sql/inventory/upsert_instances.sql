-- Add, change or restore instances; a disabled one stays disabled, a removed one is active again and keeps its history.
-- Parameters: instances (json list of the columns below; position is the order of registration).
-- Returns: nothing.
insert into instances (
    name, engine, host, port, default_database, credential_id, sslmode, sslrootcert, tags, capacity_limit_bytes, is_replica, zone
)
select
    g.name,
    g.engine,
    g.host,
    g.port,
    g.default_database,
    c.credential_id,
    g.sslmode,
    g.sslrootcert,
    g.tags,
    g.capacity_limit_bytes,
    g.is_replica,
    g.zone
from
    jsonb_to_recordset(%(instances)s::jsonb)
        as g (
            name text, engine text, host text, port integer, default_database text, credential_name text,
            sslmode text, sslrootcert text, tags jsonb, capacity_limit_bytes bigint, is_replica boolean, zone text, position integer
        )
inner join credentials as c on g.credential_name = c.name
order by g.position
on conflict (name) do update
    set
        engine = excluded.engine,
        host = excluded.host,
        port = excluded.port,
        default_database = excluded.default_database,
        credential_id = excluded.credential_id,
        sslmode = excluded.sslmode,
        sslrootcert = excluded.sslrootcert,
        tags = excluded.tags,
        capacity_limit_bytes = excluded.capacity_limit_bytes,
        is_replica = excluded.is_replica,
        zone = excluded.zone,
        is_active = instances.is_active or instances.deleted_at is not null,
        deactivated_at = case when instances.deleted_at is null then instances.deactivated_at end,
        deleted_at = null,
        updated_at = now()
