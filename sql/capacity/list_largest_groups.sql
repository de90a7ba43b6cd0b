-- The largest instances, or values of a tag, of a day. So that a silent server keeps its place, they are in the order of their known sizes.
-- Parameters: day, tag (key; NULL: by instance), most (rows).
-- Returns: the fields of LargeGroup. group_name is NULL for the instances without that tag.
select
    case when %(tag)s::text is null then f.instance_name else f.tags ->> %(tag)s::text end as group_name,
    count(distinct f.instance_id)::integer as instances,
    count(f.database_name)::integer as databases,
    (count(*) filter (where f.state = 'missing'))::integer as missing,
    (count(*) filter (where f.state = 'estimated'))::integer as estimated,
    sum(f.total_bytes)::bigint as total_bytes,
    sum(f.known_bytes)::bigint as known_bytes
from fleet_on(%(day)s::date) as f
group by group_name
order by known_bytes desc nulls last, group_name asc
limit %(most)s
