-- The living token or sign-in with this digest: neither it nor its parent was revoked or has expired.
-- Parameters: digest (bytea), now.
-- Returns: the columns of api.tokens.Token, in its order.
select
    t.token_id,
    t.kind,
    t.name,
    t.scope,
    t.has_access,
    t.created_by,
    t.created_at,
    t.expires_at,
    t.last_used_on,
    t.revoked_at
from api_tokens as t
left join api_tokens as p on t.parent_id = p.token_id
where
    t.digest = %(digest)s
    and t.revoked_at is null
    and (t.expires_at is null or t.expires_at > %(now)s)
    and p.revoked_at is null
    and (p.kind is distinct from 'token' or p.expires_at is null or p.expires_at > %(now)s)
