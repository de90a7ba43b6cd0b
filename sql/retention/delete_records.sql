-- Delete the records of one session.
-- Parameters: session_id.
-- Returns: one row per record.
delete from sync_instance_records
where session_id = %(session_id)s
returning instance_id
