-- Close the record of an instance as completed.
-- Parameters: session_id, instance_id, is_skipped, items_synced, items_created, items_updated, items_deleted, sync_details (json text).
-- Returns: one row if the record was running.
update sync_instance_records
set
    status = 'completed',
    is_skipped = %(is_skipped)s,
    completed_at = clock_timestamp(),
    items_synced = %(items_synced)s,
    items_created = %(items_created)s,
    items_updated = %(items_updated)s,
    items_deleted = %(items_deleted)s,
    sync_details = %(sync_details)s::jsonb
where session_id = %(session_id)s and instance_id = %(instance_id)s and status = 'running'
returning instance_id
