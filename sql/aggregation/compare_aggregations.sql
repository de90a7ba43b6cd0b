-- Where recomputing a period would change what is stored.
-- Parameters: changed (the statement compute_changed_database_aggregations or compute_changed_instance_aggregations, whose parameters are
-- given too).
-- Returns: instance_name, database_name (NULL: the instance), stored and computed (json of the columns that differ; stored is NULL where
-- the row is missing).
select
    i.name as instance_name,
    c.computed ->> 'database_name' as database_name,
    d.stored,
    d.computed
from (
    select
        instance_id,
        to_jsonb(stored) as stored,
        to_jsonb(p) - 'stored' as computed
    from ({changed}) as p
) as c
inner join instances as i on c.instance_id = i.instance_id
cross join
    lateral (
        select
            case when c.stored is not null then jsonb_object_agg(n.key, c.stored -> n.key) end as stored,
            jsonb_object_agg(n.key, n.value) as computed
        from jsonb_each(c.computed) as n
        where n.value is distinct from c.stored -> n.key
    ) as d
