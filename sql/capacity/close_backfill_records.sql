-- Close the record of every instance of a backfill that did not fail, with the numbers of filled and of still missing sizes. An instance
-- without filled sizes is skipped.
-- Parameters: session_id, first_day, last_day (inclusive).
-- Returns: nothing.
update sync_instance_records as r
set
    status = 'completed',
    is_skipped = f.instance_id is null,
    completed_at = clock_timestamp(),
    items_synced = coalesce(f.recovered + f.estimated, 0),
    items_created = coalesce(f.recovered + f.estimated, 0),
    sync_details = jsonb_build_object(
        'recovered', coalesce(f.recovered, 0),
        'estimated', coalesce(f.estimated, 0),
        'still_missing', coalesce(m.missing, 0)
    )
from sync_instance_records as s
left join (
    select
        instance_id,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated
    from database_size_stats
    where session_id = %(session_id)s and stat_date between %(first_day)s and %(last_day)s
    group by instance_id
) as f on s.instance_id = f.instance_id
left join (
    select
        instance_id,
        count(*) as missing
    from capacity_gaps
    where closed_by is null and stat_date between %(first_day)s and %(last_day)s
    group by instance_id
) as m on s.instance_id = m.instance_id
where s.session_id = %(session_id)s and r.session_id = s.session_id and r.instance_id = s.instance_id and r.status = 'running'
