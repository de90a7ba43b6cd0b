-- How many assignments end and begin.
-- Parameters: none.
-- Returns: opened, closed.
select
    count(*) filter (where is_match) as opened,
    count(*) filter (where not is_match) as closed
from differences
