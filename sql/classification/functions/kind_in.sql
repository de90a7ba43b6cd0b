-- Whether the kind of the account is one of these.
-- Parameters: kinds (text[]).
-- Returns: answer.
select a.account_kind = any(%(kinds)s::text[]) as answer
from classified_accounts as a
