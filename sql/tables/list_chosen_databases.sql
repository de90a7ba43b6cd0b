-- The databases whose tables are read by schedule, each with the rule that names it: a tag of its server, its size, or its growth over
-- seven days. Sizes are the newest known ones.
-- Parameters: day, tag_key, tag_value (NULL: any value), size_over, grew_over (bytes), instance_names (text[]; empty: all).
-- Returns: instance_id, database_name, rule (tag, size or growth).
with fleet as (
    select
        f.instance_id,
        f.database_name,
        f.known_bytes,
        coalesce(f.tags ? %(tag_key)s and (%(tag_value)s::text is null or f.tags ->> %(tag_key)s = %(tag_value)s::text), false) as has_tag,
        f.known_bytes - h.total_bytes as change_bytes
    from fleet_on(%(day)s::date) as f
    left join database_histories as h
        on
            f.instance_id = h.instance_id
            and f.database_id = h.database_id
            and f.known_date - 7 = h.stat_date
            and h.stat_date between %(day)s::date - 21 and %(day)s::date - 7
    where f.database_name is not null and (%(instance_names)s::text[] = '{}' or f.instance_name = any(%(instance_names)s::text[]))
),

named as (
    select
        instance_id,
        database_name,
        case
            when has_tag then 'tag'
            when known_bytes > %(size_over)s then 'size'
            when change_bytes > %(grew_over)s then 'growth'
        end as rule
    from fleet
)

select
    instance_id,
    database_name,
    rule
from named
where rule is not null
order by instance_id, database_name
