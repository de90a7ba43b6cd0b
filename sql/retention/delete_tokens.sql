-- Delete tokens that expired or were revoked before a day, so many at once. Their requests are gone before; a browser ends with the token
-- that it comes from, has a higher number, and goes before it.
-- Parameters: before (date), most.
-- Returns: one row per token.
delete from api_tokens
where
    token_id = any(array(
        select t.token_id from api_tokens as t
        where
            least(t.revoked_at, t.expires_at) < %(before)s::date
            and not exists (select 1 from api_requests as r where r.token_id = t.token_id)
        order by t.token_id desc
        limit %(most)s
    ))
returning token_id
