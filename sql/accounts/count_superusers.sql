-- How many accounts existed on a day, as far as it was observed, and how many of them were superusers.
-- Parameters: day.
-- Returns: accounts, superusers; one row.
select
    count(*)::integer as accounts,
    (count(*) filter (where is_superuser))::integer as superusers
from account_attributes
where valid_from <= %(day)s and (valid_until is null or valid_until > %(day)s)
