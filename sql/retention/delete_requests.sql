-- Delete requests of the audit log that were made before a day, so many at once.
-- Parameters: before (date), most.
-- Returns: one row per request.
delete from api_requests
where
    ctid = any(array(
        select r.ctid from api_requests as r
        where r.requested_at < %(before)s::date
        order by r.requested_at
        limit %(most)s
    ))
returning request_id
