-- What the databases of each group cost in a month at their size of a day; a missing one costs what its last known size does.
-- Parameters: day, by (fleet, instance or tag), tag (key; NULL unless by tag), keys, tag_values (text[]), prices (numeric[]: for a GiB and
-- a month, of servers with this tag; the first that fits counts), default_price (NULL: none).
-- Returns: group_name, total_bytes, monthly (numeric; NULL where a database has no price).
select
    case %(by)s::text when 'instance' then i.name when 'tag' then i.tags ->> %(tag)s::text end as group_name,
    sum(d.held_bytes)::bigint as total_bytes,
    case when count(d.held_bytes) = count(p.price) then sum(d.held_bytes * p.price) / 1073741824 end as monthly
from databases_on(%(day)s::date) as d
inner join instances as i on d.instance_id = i.instance_id
left join lateral (
    select coalesce(
        (
            select r.price
            from unnest(%(keys)s::text[], %(tag_values)s::text[], %(prices)s::numeric[]) with ordinality as r (key, value, price, place)
            where i.tags ->> r.key = r.value
            order by r.place
            limit 1
        ),
        %(default_price)s::numeric
    ) as price
) as p on true
where d.held_bytes is not null
group by group_name
order by total_bytes desc, group_name
