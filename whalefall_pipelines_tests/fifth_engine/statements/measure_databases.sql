-- How long every shelf is.
-- Parameters: none.
-- Returns: database_name, total_bytes (NULL for a locked one).
select
    name as database_name,
    bytes as total_bytes
from shelves
