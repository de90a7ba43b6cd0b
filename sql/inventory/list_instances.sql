-- Registered instances with their login, in the order of their registration.
-- Parameters: names (text[]; NULL for all of them), with_removed (boolean), instance_ids, engines, zone, tag_name, tag_value, is_active
-- (NULL for all), after_id (the last row of the page before, or NULL), skipped, most (NULL for all).
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
where
    (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
    and (%(with_removed)s or i.deleted_at is null)
    and (%(instance_ids)s::integer[] is null or i.instance_id = any(%(instance_ids)s::integer[]))
    and (%(engines)s::text[] is null or i.engine = any(%(engines)s::text[]))
    and (%(zone)s::text is null or coalesce(i.zone, 'centre') = %(zone)s::text)
    and (
        %(tag_name)s::text is null
        or i.tags ->> %(tag_name)s::text = coalesce(%(tag_value)s::text, i.tags ->> %(tag_name)s::text)
    )
    and (%(is_active)s::boolean is null or i.is_active = %(is_active)s::boolean)
    and (%(after_id)s::integer is null or i.instance_id > %(after_id)s::integer)
order by i.instance_id
limit %(most)s offset %(skipped)s
