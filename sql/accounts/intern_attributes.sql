-- Enter the staged attributes that are not in the dictionary yet. In the order of their digests, so that two instances with new ones in
-- common wait for each other in one direction only.
-- Parameters: none.
-- Returns: nothing.
insert into account_attribute_sets (attributes)
select s.attributes
from (select distinct
    attributes,
    digest
from staged_accounts) as s
where not exists (select 1 from account_attribute_sets as d where d.digest = s.digest)
order by s.digest
on conflict (digest) do nothing
