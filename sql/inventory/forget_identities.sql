-- Forget which servers these instances were, and the identifiers that those servers gave their databases: the next visit takes what it
-- meets, and databases go on under their names.
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
