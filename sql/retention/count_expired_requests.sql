-- The number of requests of the audit log that were made before a day.
-- Parameters: before (date).
-- Returns: requests.
select count(*) as requests
from api_requests
where requested_at < %(before)s::date
