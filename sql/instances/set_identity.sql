-- Remember what a server calls itself, and when it was started.
-- Parameters: instance_id, server_identity, server_started_at (NULL: unknown).
-- Returns: nothing.
update instances
set
    server_identity = %(server_identity)s,
    server_started_at = %(server_started_at)s
where instance_id = %(instance_id)s
