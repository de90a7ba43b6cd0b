-- Whether the engine of the account's server is one of these.
-- Parameters: types (text[]).
-- Returns: answer.
select a.engine = any(%(types)s::text[]) as answer
from classified_accounts as a
