-- What a run is to read is missing until it is read, so that a run that dies leaves no day that looks whole. What was read before stays.
-- Parameters: instance_ids (integer[]), database_names (text[], one for each), day, collected_at, reason, detail, session_id.
-- Returns: nothing.
insert into table_size_observations (instance_id, database_name, stat_date, collected_at, reason, detail, session_id)
select
    w.instance_id,
    w.database_name,
    %(day)s,
    %(collected_at)s,
    %(reason)s,
    %(detail)s,
    %(session_id)s
from unnest(%(instance_ids)s::integer[], %(database_names)s::text[]) as w (instance_id, database_name)
on conflict (instance_id, database_name, stat_date) do nothing
