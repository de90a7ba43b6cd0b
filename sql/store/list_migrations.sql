-- What was applied, in order.
-- Parameters: none.
-- Returns: version, name, checksum.
select
    version,
    name,
    checksum
from schema_migrations
order by version
