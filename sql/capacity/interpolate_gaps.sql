-- Interpolate the open gaps of these days that lie between two known sizes of the same database, under whatever names. Only sizes that a
-- server reported, on the day or later, are known: an estimate is never based on an estimate.
-- From the range of all days the planner can prune the months of the neighbours; from the day of each gap it could not.
-- Parameters: first_day, last_day (inclusive), max_gap_days (how far each neighbour may lie from the day), instance_ids (integer[]).
-- Returns: instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes (NULL if a neighbour does not have them apart).
select
    g.instance_id,
    g.database_name,
    g.stat_date,
    i.total_bytes,
    i.data_bytes,
    -- Data and log are rounded together: rounded apart they could exceed the total by one byte.
    case when i.data_bytes is null then i.log_bytes else i.data_and_log_bytes - i.data_bytes end as log_bytes
from capacity_gaps as g
inner join database_activity as d
    on
        g.instance_id = d.instance_id
        and g.database_name = d.database_name
        and g.stat_date >= d.active_from
        and (d.active_until is null or g.stat_date < d.active_until)
cross join
    lateral (
        select
            h.stat_date,
            h.total_bytes,
            h.data_bytes,
            h.log_bytes
        from database_histories as h
        where
            h.instance_id = d.instance_id
            and h.database_id = d.database_id
            and h.stat_date between g.stat_date - %(max_gap_days)s::integer and g.stat_date - 1
            and h.stat_date between %(first_day)s::date - %(max_gap_days)s::integer and %(last_day)s::date - 1
            and h.provenance in ('measured', 'recovered')
        order by h.stat_date desc
        limit 1
    ) as b
cross join
    lateral (
        select
            h.stat_date,
            h.total_bytes,
            h.data_bytes,
            h.log_bytes
        from database_histories as h
        where
            h.instance_id = d.instance_id
            and h.database_id = d.database_id
            and h.stat_date between g.stat_date + 1 and g.stat_date + %(max_gap_days)s::integer
            and h.stat_date between %(first_day)s::date + 1 and %(last_day)s::date + %(max_gap_days)s::integer
            and h.provenance in ('measured', 'recovered')
        order by h.stat_date
        limit 1
    ) as a
cross join
    lateral (
        select
            g.stat_date - b.stat_date as past,
            a.stat_date - b.stat_date as length
    ) as w
cross join
    lateral (
        select
            round(b.total_bytes + (a.total_bytes - b.total_bytes)::numeric * w.past / w.length)::bigint as total_bytes,
            round(b.data_bytes + (a.data_bytes - b.data_bytes)::numeric * w.past / w.length)::bigint as data_bytes,
            round(b.log_bytes + (a.log_bytes - b.log_bytes)::numeric * w.past / w.length)::bigint as log_bytes,
            round(
                b.data_bytes + b.log_bytes
                + (a.data_bytes + a.log_bytes - b.data_bytes - b.log_bytes)::numeric * w.past / w.length
            )::bigint as data_and_log_bytes
    ) as i
where
    g.closed_by is null
    and g.database_name is not null
    and g.stat_date between %(first_day)s and %(last_day)s
    and g.instance_id = any(%(instance_ids)s::integer[])
