-- Requests that changed something, newest first.
-- Parameters: requested_at and request_id (the last row of the page before, or NULL), skipped, most.
-- Returns: the columns of api.audit.AuditedRequest, in its order.
select
    request_id,
    requested_at,
    caller,
    method,
    path,
    status,
    completed_at,
    session_id
from api_requests
where
    %(requested_at)s::timestamptz is null
    or requested_at < %(requested_at)s::timestamptz
    or (requested_at = %(requested_at)s::timestamptz and request_id > %(request_id)s)
order by requested_at desc, request_id
limit %(most)s offset %(skipped)s
