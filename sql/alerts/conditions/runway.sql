-- Databases and servers whose newest forecast reaches their limit soon, or that have an alert and no date now.
-- Parameters: instance_ids, day, rule_id, clear_days.
-- Returns: instance_id, database_id, occurred_on, figures.
select
    r.instance_id,
    r.database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'p50_days', r.p50_days, 'p10_days', r.p10_days, 'used_bytes', r.used_bytes, 'limit_bytes', r.limit_bytes,
        'date', r.p50_date, 'error_percent', round((100 * r.error_30)::numeric, 1)
    ) as figures
from capacity_runway as r
where
    r.instance_id = any(%(instance_ids)s)
    and r.made_on > %(day)s::date - 8
    and (
        (r.state = 'ok' and r.p50_days <= %(clear_days)s)
        -- without a date it is not known to be over
        or (
            r.state not in ('ok', 'beyond', 'flat', 'no_limit')
            and exists (
                select 1 from alerts as a
                where
                    a.rule_id = %(rule_id)s
                    and a.status <> 'cleared'
                    and a.instance_id = r.instance_id
                    and a.database_id is not distinct from r.database_id
            )
        )
    )
