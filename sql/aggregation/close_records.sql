-- Close the record of every instance of an aggregation session with its written rows and its missing days. An instance without any
-- stored day in the periods is skipped.
-- Parameters: session_id, period_type, first_start, last_start (period starts), instance_ids and written (integer[], in pairs).
-- Returns: nothing.
update sync_instance_records as r
set
    status = 'completed',
    is_skipped = d.instance_id is null,
    completed_at = clock_timestamp(),
    items_synced = coalesce(w.written, 0),
    sync_details = jsonb_build_object(
        'rows_written', coalesce(w.written, 0),
        'days_present', coalesce(p.data_count, 0),
        'days_missing', coalesce(p.expected_count - p.data_count, 0),
        'days_estimated', coalesce(p.estimated_count, 0)
    )
from sync_instance_records as s
left join (
    select
        instance_id,
        sum(data_count) as data_count,
        sum(expected_count) as expected_count,
        sum(estimated_count) as estimated_count
    from instance_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s
    group by instance_id
) as p on s.instance_id = p.instance_id
left join (
    select distinct instance_id
    from database_size_aggregations
    where period_type = %(period_type)s and period_start between %(first_start)s and %(last_start)s and data_count > 0
) as d on s.instance_id = d.instance_id
left join unnest(%(instance_ids)s::integer[], %(written)s::integer[]) as w (instance_id, written) on s.instance_id = w.instance_id
where s.session_id = %(session_id)s and r.session_id = s.session_id and r.instance_id = s.instance_id and r.status = 'running'
