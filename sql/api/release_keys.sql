-- Forgets idempotency keys that are older than a day, so that they can be used again.
-- Parameters: caller, idempotency_key, kept_from.
-- Returns: nothing.
update api_requests
set idempotency_key = null
where caller = %(caller)s and idempotency_key = %(idempotency_key)s and requested_at < %(kept_from)s
