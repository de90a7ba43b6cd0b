-- Add zones that are not known yet, as soon as an instance names them.
-- Parameters: zones (text[]).
-- Returns: nothing.
insert into zones (name)
select z.name
from unnest(%(zones)s::text[]) as z (name)
on conflict (name) do nothing
