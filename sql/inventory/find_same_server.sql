-- The active instance that is the same server as this one: it has the same identity, and nothing tells the two apart. Two that were
-- started at different moments are two servers (a primary and its physical replica have one identity); where a start is unknown, one that
-- calls itself a replica is another server, and so is what a person marked as one. At one address one may have been started anew since.
-- Parameters: instance_id, engine, server_identity, server_started_at (NULL: unknown), is_replica (what the server says of itself).
-- Returns: name, at most one row.
select i.name
from instances as i
inner join instances as me on me.instance_id = %(instance_id)s
where
    i.engine = %(engine)s
    and i.server_identity = %(server_identity)s
    and i.instance_id <> %(instance_id)s
    and i.is_active
    and not i.is_replica
    and not me.is_replica
    and (coalesce(i.server_started_at = %(server_started_at)s, not %(is_replica)s) or (i.host = me.host and i.port = me.port))
order by i.instance_id
limit 1
