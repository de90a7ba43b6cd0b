-- The request that launched a run with this session.
-- Parameters: session_id.
-- Returns: run_id, answer.
select
    run_id,
    answer
from api_requests
where session_id = %(session_id)s and run_id is not null
limit 1
