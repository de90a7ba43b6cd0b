-- The number of tokens that expired or were revoked before a day, and made no request since.
-- Parameters: before (date).
-- Returns: tokens.
select count(*) as tokens
from api_tokens as t
where
    least(t.revoked_at, t.expires_at) < %(before)s::date
    and not exists (select 1 from api_requests as r where r.token_id = t.token_id and r.requested_at >= %(before)s::date)
