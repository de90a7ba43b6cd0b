-- Close the records of instances as completed, or as failed where there is an error code.
-- Parameters: session_id, records (json, an array of objects with the columns below).
-- Returns: instance_id of those that were running.
update sync_instance_records as r
set
    status = case when e.error_code is null then 'completed' else 'failed' end,
    is_skipped = e.is_skipped,
    completed_at = clock_timestamp(),
    items_synced = e.items_synced,
    items_created = e.items_created,
    items_updated = e.items_updated,
    items_deleted = e.items_deleted,
    error_code = e.error_code,
    error_message = e.error_message,
    sync_details = e.sync_details
from
    jsonb_to_recordset(%(records)s::jsonb)
        as e (
            instance_id integer,
            is_skipped boolean,
            items_synced integer,
            items_created integer,
            items_updated integer,
            items_deleted integer,
            error_code text,
            error_message text,
            sync_details jsonb
        )
where r.session_id = %(session_id)s and r.instance_id = e.instance_id and r.status = 'running'
returning r.instance_id
