-- Let one transaction at a time write the days of an instance; always in the same order, so that two never wait for each other.
-- Parameters: instance_ids (integer[]).
-- Returns: one row for each, void. The first number is arbitrary and ours alone.
select pg_advisory_xact_lock(740031, locked.instance_id)
from (
    select distinct i.instance_id
    from unnest(%(instance_ids)s::integer[]) as i (instance_id)
    order by i.instance_id
) as locked
