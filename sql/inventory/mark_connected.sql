-- Store the versions of servers and when they were last reached. An older probe never overwrites a newer one.
-- Parameters: instance_ids (integer[]), server_versions (text[]), connected_at (timestamptz[]), an entry for each instance.
-- Returns: nothing.
update instances
set
    server_version = reached.server_version,
    last_connected_at = reached.connected_at
from
    unnest(%(instance_ids)s::integer[], %(server_versions)s::text[], %(connected_at)s::timestamptz[])
        as reached (instance_id, server_version, connected_at)
where
    instances.instance_id = reached.instance_id
    and (instances.last_connected_at is null or instances.last_connected_at <= reached.connected_at)
