-- Whether recomputing a period would change what is stored.
-- Parameters: changed (the statement compute_changed_database_aggregations or compute_changed_instance_aggregations, whose parameters are
-- given too).
-- Returns: is_stale.
select exists(select c.instance_id from ({changed}) as c) as is_stale
