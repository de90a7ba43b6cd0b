-- Whether the name of the account is like a pattern.
-- Parameters: like.
-- Returns: answer.
select a.account_name like %(like)s::text as answer
from classified_accounts as a
