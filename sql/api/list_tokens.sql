-- Every token, and the sign-ins of browsers and links that are alive, newest first.
-- Parameters: now.
-- Returns: the columns of api.tokens.Token, in its order.
select
    token_id,
    kind,
    name,
    scope,
    has_access,
    created_by,
    created_at,
    expires_at,
    last_used_on,
    revoked_at
from api_tokens
where kind = 'token' or (revoked_at is null and expires_at > %(now)s)
order by token_id desc
