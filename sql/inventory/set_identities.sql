-- Store the identities of servers and their start times.
-- Parameters: names (text[]), server_identities (text[]), server_started_at (text[]; NULL: unknown).
-- Returns: nothing.
update instances
set
    server_identity = told.server_identity,
    server_started_at = told.server_started_at
from
    unnest(%(names)s::text[], %(server_identities)s::text[], %(server_started_at)s::text[])
        as told (name, server_identity, server_started_at)
where instances.name = told.name
