-- The fleet, if the night that should be over has not closed a day. Of a fleet without servers nothing is expected.
-- Parameters: instance_ids, due_day, closed_day (NULL: none in two weeks).
-- Returns: instance_id, database_id (both NULL), occurred_on, figures.
select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'days_behind', coalesce(%(due_day)s::date - %(closed_day)s::date, 14),
        'closed_day', %(closed_day)s::date, 'due_day', %(due_day)s::date
    ) as figures
where
    coalesce(%(closed_day)s::date, '-infinity') < %(due_day)s::date
    and exists (
        select 1 from instance_activity as a
        where a.instance_id = any(%(instance_ids)s) and a.active_until is null and a.active_from < %(due_day)s
    )
