-- Registered instances with their login, removed ones included, in the order of their registration.
-- Parameters: names (text[]; NULL for all of them).
-- Returns: the fields of InstanceEntry, username and secret, and the fields of RegisteredInstance.
select
    i.name,
    i.engine,
    i.host,
    i.port,
    c.name as credential_name,
    i.default_database as database,
    i.sslmode,
    i.sslrootcert,
    i.tags,
    i.capacity_limit_bytes,
    i.is_replica,
    i.zone,
    c.username,
    c.secret,
    i.instance_id,
    i.is_active,
    i.deactivated_at,
    i.deleted_at,
    i.server_version,
    i.last_connected_at,
    i.created_at,
    i.server_identity,
    i.server_started_at
from instances as i
inner join credentials as c on i.credential_id = c.credential_id
where %(names)s::text[] is null or i.name = any(%(names)s::text[])
order by i.instance_id
