-- Whether recomputing a period would change what is stored of registered instances.
-- Parameters: changed (the statement compute_changed_database_aggregations or compute_changed_instance_aggregations, whose parameters are
-- given too).
-- Returns: is_stale.
select exists(
    select i.instance_id
    from ({changed}) as c
    inner join instances as i on c.instance_id = i.instance_id
) as is_stale
