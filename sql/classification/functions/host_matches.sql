-- Whether the host from which the account may come is like a pattern.
-- Parameters: like.
-- Returns: answer; NULL: accounts of this engine have no host.
select a.attributes ->> 'host' like %(like)s::text as answer
from classified_accounts as a
