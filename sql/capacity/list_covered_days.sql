-- How much is known of each instance on each of these days, or with many instances of each group: those with the same first tag. It says
-- the same as `capacity_coverage` without the counts of each provenance, for which sizes are read where one is not measured: the total of
-- an instance has the number of its sizes and the provenance of the least certain one.
-- Parameters: days (date[]), first_day, last_day (of the days, which are consecutive), instance_id (NULL: every), most_rows (instances
-- beyond which groups are told).
-- Returns: the fields of CoveredDay, in no order: a row for each state that instances of the row have on a day, none where nothing was
-- expected.
with fleet as (
    select
        instance_id,
        active_from,
        active_until
    from instance_activity
    where %(instance_id)s::integer is null or instance_id = %(instance_id)s::integer
),

-- many instances have the same tags, so each set of tags is read once
groups as materialized (
    select
        s.tags,
        coalesce((select t.key || '=' || t.value from jsonb_each_text(s.tags) as t order by t.key limit 1), 'without a tag') as row_name
    from (select distinct tags from instances) as s
),

-- the row of each instance: itself, or the first of its tags; rows are numbered because numbers are compared faster than names
numbered as materialized (
    select
        n.instance_id,
        n.row_name,
        dense_rank() over (order by n.row_name) as row_number
    from (
        select
            i.instance_id,
            case
                when %(instance_id)s::integer is not null or count(*) filter (where i.deleted_at is null) over () <= %(most_rows)s
                    then i.name
                else g.row_name
            end as row_name
        from instances as i
        inner join groups as g on i.tags = g.tags
    ) as n
),

gaps as materialized (
    select
        stat_date,
        instance_id,
        count(database_name)::integer as missing,
        string_agg(distinct reason, ', ' order by reason) as reasons
    from capacity_gaps
    where
        closed_by is null
        and stat_date between %(first_day)s and %(last_day)s
        and (%(instance_id)s::integer is null or instance_id = %(instance_id)s::integer)
    group by stat_date, instance_id
),

-- Each day of an instance is grouped as it is read: of thousands of instances they are too many to be kept for another comparison.
known as materialized (
    select
        n.row_number,
        t.stat_date,
        case when t.database_count = 0 then 'missing' when g.missing > 0 then 'partly missing' else t.provenance end as state,
        count(*) as instances,
        sum(t.database_count) as known,
        sum(g.missing) as missing,
        max(g.reasons) as reasons,
        count(f.instance_id) as active
    from instance_size_stats as t
    inner join numbered as n on t.instance_id = n.instance_id
    left join gaps as g on t.stat_date = g.stat_date and t.instance_id = g.instance_id
    left join fleet as f
        on t.instance_id = f.instance_id and t.stat_date >= f.active_from and (f.active_until is null or t.stat_date < f.active_until)
    where
        t.stat_date between %(first_day)s and %(last_day)s
        and (%(instance_id)s::integer is null or t.instance_id = %(instance_id)s::integer)
    group by n.row_number, t.stat_date, state
    union all
    select
        n.row_number,
        g.stat_date,
        'missing' as state,
        count(*) as instances,
        0 as known,
        sum(g.missing) as missing,
        max(g.reasons) as reasons,
        count(f.instance_id) as active
    from gaps as g
    inner join numbered as n on g.instance_id = n.instance_id
    left join fleet as f
        on g.instance_id = f.instance_id and g.stat_date >= f.active_from and (f.active_until is null or g.stat_date < f.active_until)
    where
        not exists (
            select 1 from instance_size_stats as t
            where
                t.instance_id = g.instance_id and t.stat_date = g.stat_date and t.stat_date between %(first_day)s and %(last_day)s
        )
    group by n.row_number, g.stat_date
),

-- the days on which more instances were active than anything is known of
incomplete as (
    select c.day as stat_date
    from unnest(%(days)s::date[]) as c (day)
    where
        c.day between (select min(stat_date) from instance_size_stats) and current_date
        and (select count(*) from fleet as f where c.day >= f.active_from and (f.active_until is null or c.day < f.active_until))
        > (select coalesce(sum(k.active), 0) from known as k where k.stat_date = c.day)
),

uncollected as (
    select
        c.stat_date,
        array_agg(f.instance_id) as instance_ids
    from incomplete as c
    inner join fleet as f on c.stat_date >= f.active_from and (f.active_until is null or c.stat_date < f.active_until)
    where
        not exists (
            select 1 from instance_size_stats as t
            where
                t.instance_id = f.instance_id and t.stat_date = c.stat_date and t.stat_date between %(first_day)s and %(last_day)s
        )
        and not exists (select 1 from gaps as g where g.stat_date = c.stat_date and g.instance_id = f.instance_id)
    group by c.stat_date
),

rows as (
    select distinct
        row_number,
        row_name
    from numbered
),

states as (
    select
        row_number,
        stat_date,
        state,
        instances,
        known,
        missing,
        reasons
    from known
    union all
    select
        n.row_number,
        u.stat_date,
        'missing' as state,
        1 as instances,
        0 as known,
        d.missing,
        'not_collected' as reasons
    from uncollected as u
    -- One look at the index for each day: a hash join would read what every database ever did. OFFSET 0 keeps it so.
    cross join
        lateral (
            select
                a.instance_id,
                count(*) as missing
            from database_activity as a
            where u.stat_date <@ daterange(a.active_from, a.active_until) and a.instance_id = any(u.instance_ids)
            group by a.instance_id
            offset 0
        ) as d
    inner join numbered as n on d.instance_id = n.instance_id
)

select
    n.row_name,
    s.stat_date,
    s.state,
    sum(s.instances)::integer as instances,
    sum(s.known)::integer as known,
    coalesce(sum(s.missing), 0)::integer as missing,
    max(s.reasons) as reasons
from states as s
inner join rows as n on s.row_number = n.row_number
group by n.row_name, s.stat_date, s.state
