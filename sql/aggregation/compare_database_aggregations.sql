-- Where recomputing these periods would change what is stored.
-- Parameters: computed (the statement compute_database_aggregations, whose parameters are given too).
-- Returns: period_start, instance_name, database_name, stored and computed (json of the columns that differ;
-- stored is NULL where the row is missing).
select
    c.period_start,
    i.name as instance_name,
    c.database_name,
    d.stored,
    d.computed
from (
{computed}
) as c
inner join instances as i on c.instance_id = i.instance_id
left join database_size_aggregations as a
    on c.instance_id = a.instance_id and c.database_name = a.database_name and c.period_type = a.period_type and c.period_start = a.period_start
cross join lateral (
    select
        case when a.instance_id is not null then jsonb_object_agg(n.key, to_jsonb(a) -> n.key) end as stored,
        jsonb_object_agg(n.key, n.value) as computed
    from jsonb_each(to_jsonb(c)) as n
    where n.value is distinct from to_jsonb(a) -> n.key
) as d
where
    (
        a.period_end, a.avg_bytes, a.max_bytes, a.min_bytes, a.opening_bytes, a.closing_bytes,
        a.data_count, a.expected_count, a.estimated_count, a.change_bytes, a.change_percent, a.is_final
    )
    is distinct from
    (
        c.period_end, c.avg_bytes, c.max_bytes, c.min_bytes, c.opening_bytes, c.closing_bytes,
        c.data_count, c.expected_count, c.estimated_count, c.change_bytes, c.change_percent, c.is_final
    )
    and (a.data_count is null or c.data_count >= a.data_count or a.period_start = any(%(kept_starts)s::date[]))
