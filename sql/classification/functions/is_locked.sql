-- Whether the server locks the account.
-- Parameters: none.
-- Returns: answer; NULL: unknown.
select a.is_locked as answer
from classified_accounts as a
