-- How many accounts are staged, and how many assignments end and begin.
-- Parameters: none.
-- Returns: accounts, opened, closed.
select
    (select count(*) from classified_accounts) as accounts,
    count(*) filter (where is_match) as opened,
    count(*) filter (where not is_match) as closed
from differences
