-- The request that used this key.
-- Parameters: caller, idempotency_key.
-- Returns: method, path, body_digest, status, answer.
select
    method,
    path,
    body_digest,
    status,
    answer
from api_requests
where caller = %(caller)s and idempotency_key = %(idempotency_key)s
