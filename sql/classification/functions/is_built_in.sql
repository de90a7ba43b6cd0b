-- Whether the server itself made the account.
-- Parameters: none.
-- Returns: answer.
select a.is_built_in as answer
from classified_accounts as a
