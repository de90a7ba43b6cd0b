-- Ends a token for ever, with the sign-ins that come from it.
-- Parameters: token_id, now.
-- Returns: token_id of everything that ended; no row where the token does not exist or has ended before.
update api_tokens
set revoked_at = %(now)s
where (token_id = %(token_id)s or parent_id = %(token_id)s) and revoked_at is null
returning token_id
