-- Writes down a request before it is carried out.
-- Parameters: request_id, caller, token_id, method, path, idempotency_key, body_digest, requested_at.
-- Returns: request_id; no row where the caller has used the key before.
insert into api_requests (request_id, requested_at, caller, token_id, method, path, idempotency_key, body_digest)
values (
    %(request_id)s, %(requested_at)s, %(caller)s, %(token_id)s, %(method)s, %(path)s, %(idempotency_key)s, %(body_digest)s
)
on conflict (caller, idempotency_key) where idempotency_key is not null do nothing
returning request_id
