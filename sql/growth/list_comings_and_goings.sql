-- The databases that came or went between two days on servers that are in the fleet on both, with their first or their last size then, and
-- with that of the one of the two days on which they are there.
-- Parameters: first_day, last_day, instance_ids (NULL: all).
-- Returns: the fields of Coming.
with changed as (
    -- by the indexes of beginnings and ends
    select distinct
        instance_id,
        database_id
    from database_activity
    where
        (
            (active_from > %(first_day)s and active_from <= %(last_day)s)
            or (active_until > %(first_day)s and active_until <= %(last_day)s)
        )
        and (%(instance_ids)s::integer[] is null or instance_id = any(%(instance_ids)s::integer[]))
),

lives as (
    select
        c.instance_id,
        c.database_id,
        l.active_from,
        l.active_until
    from changed as c
    -- One look at the index for each: a hash join reads every database that ever was. OFFSET 0 keeps it so.
    cross join
        lateral (
            select
                min(a.active_from) as active_from,
                case when bool_and(a.active_until is not null) then max(a.active_until) end as active_until
            from database_activity as a
            where a.instance_id = c.instance_id and a.database_id = c.database_id
            offset 0
        ) as l
),

comings as (
    select
        l.instance_id,
        l.database_id,
        l.active_from > %(first_day)s as is_birth
    from lives as l
    where
        (l.active_from > %(first_day)s and (l.active_until is null or l.active_until > %(last_day)s))
        or (l.active_from <= %(first_day)s and l.active_until > %(first_day)s and l.active_until <= %(last_day)s)
)

select
    c.instance_id,
    i.name as instance_name,
    h.database_name,
    c.is_birth,
    h.stat_date,
    h.total_bytes,
    e.total_bytes as edge_bytes,
    coalesce(e.provenance = 'estimated', false) as is_edge_estimated
from comings as c
inner join instances as i on c.instance_id = i.instance_id
inner join instance_activity as f
    on c.instance_id = f.instance_id and f.active_from <= %(first_day)s and (f.active_until is null or f.active_until > %(last_day)s)
cross join
    lateral (
        select
            n.database_name,
            s.stat_date,
            s.total_bytes
        from database_activity as n
        inner join database_size_stats as s
            on
                n.instance_id = s.instance_id
                and n.database_name = s.database_name
                and s.stat_date >= n.active_from
                and (n.active_until is null or s.stat_date < n.active_until)
        where
            n.instance_id = c.instance_id
            and n.database_id = c.database_id
            and s.stat_date between %(first_day)s::date and %(last_day)s::date
        order by case when c.is_birth then s.stat_date end asc, s.stat_date desc
        limit 1
    ) as h
left join lateral (
    select
        s.total_bytes,
        s.provenance
    from database_activity as n
    inner join database_size_stats as s on n.instance_id = s.instance_id and n.database_name = s.database_name
    where
        n.instance_id = c.instance_id
        and n.database_id = c.database_id
        and s.stat_date = case when c.is_birth then %(last_day)s::date else %(first_day)s::date end
        and s.stat_date >= n.active_from
        and (n.active_until is null or s.stat_date < n.active_until)
) as e on true
order by c.instance_id, h.database_name, c.is_birth
