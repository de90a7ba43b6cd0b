-- Register simulated servers, active since the first day, with one login of their own.
-- Parameters: servers (json list of the columns below), first_day.
-- Returns: instance_id, name.
with login as (
    insert into credentials (name, username) values ('simulated', 'simulated')
    on conflict (name) do update set username = excluded.username
    returning credential_id
)

insert into instances (name, engine, host, port, credential_id, tags, capacity_limit_bytes, created_at)
select
    s.name,
    s.engine,
    s.host,
    s.port,
    l.credential_id,
    s.tags,
    s.capacity_limit_bytes,
    %(first_day)s::date
from login as l
cross join
    jsonb_to_recordset(%(servers)s::jsonb)
        as s (name text, engine text, host text, port integer, tags jsonb, capacity_limit_bytes bigint)
order by s.name
returning instance_id, name
