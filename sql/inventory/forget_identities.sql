-- Remove the identities of these instances, and the identifiers of their databases: the next probe accepts the server that answers, and
-- databases continue under their names.
-- Parameters: names (text[]).
-- Returns: nothing.
with forgotten as (
    update instances
    set
        server_identity = null,
        server_started_at = null,
        updated_at = now()
    where name = any(%(names)s::text[])
    returning instance_id
)

update instance_databases
set native_id = null
from forgotten
where instance_databases.instance_id = forgotten.instance_id
