-- Whether the password of the account was changed more than so many days ago.
-- Parameters: day, days.
-- Returns: answer; NULL: unknown.
select a.password_changed_at::date < %(day)s::date - %(days)s::integer as answer
from classified_accounts as a
