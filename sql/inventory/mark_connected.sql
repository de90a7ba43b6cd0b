-- Store the versions of servers and when they were last reached. An older probe never overwrites a newer one.
-- Parameters: instance_ids (integer[]), server_versions (text[]), connected_at (timestamptz).
-- Returns: nothing.
update instances
set
    server_version = given.server_version,
    last_connected_at = %(connected_at)s
from unnest(%(instance_ids)s::integer[], %(server_versions)s::text[]) as given (instance_id, server_version)
where
    instances.instance_id = given.instance_id
    and (instances.last_connected_at is null or instances.last_connected_at <= %(connected_at)s)
