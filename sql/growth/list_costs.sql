-- What the databases of each group cost in a month at their size of the last day, and how much more than at that of the first; a missing
-- one costs what its last known size does.
-- Parameters: first_day, last_day, by (fleet, instance or tag), tag (key; NULL unless by tag), keys, tag_values (text[]), prices
-- (numeric[]: for a GiB and a month, of servers with this tag; the first that fits counts), default_price (NULL: none), instance_ids (NULL:
-- all).
-- Returns: group_name, total_bytes (of the last day), monthly, monthly_change (numeric; NULL where a database has no price).
with sizes as (
    select
        instance_id,
        held_bytes as last_bytes,
        0 as first_bytes
    from databases_on(%(last_day)s::date)
    union all
    select
        instance_id,
        0,
        held_bytes
    from databases_on(%(first_day)s::date)
)

select
    case %(by)s::text when 'instance' then i.name when 'tag' then i.tags ->> %(tag)s::text end as group_name,
    sum(d.last_bytes)::bigint as total_bytes,
    case when count(*) = count(p.price) then sum(d.last_bytes * p.price) / 1073741824 end as monthly,
    case when count(*) = count(p.price) then sum((d.last_bytes - d.first_bytes) * p.price) / 1073741824 end as monthly_change
from sizes as d
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
where
    d.first_bytes is not null
    and d.last_bytes is not null
    and (%(instance_ids)s::integer[] is null or d.instance_id = any(%(instance_ids)s::integer[]))
group by group_name
order by total_bytes desc, group_name
