-- Stores on which day a token was used last.
-- Parameters: token_id, day.
-- Returns: nothing.
update api_tokens
set last_used_on = %(day)s
where token_id = %(token_id)s and last_used_on is distinct from %(day)s
