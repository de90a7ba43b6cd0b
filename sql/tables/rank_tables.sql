-- The largest, the fastest growing, the new and the gone tables of all databases that were read on a day, each against its own day before.
-- Nothing is called new or gone where a table may only have been missing, or below the limit.
-- Parameters: day, most (rows of each ranking).
-- Returns: ranking (largest, fastest growing, new, gone), instance_name, database_name, schema_name, table_name, total_bytes (of a gone
-- table, its last), change_bytes (NULL: unknown).
with observed as (
    select
        o.instance_id,
        o.database_name,
        o.missing = '[]' and o.smaller_tables = 0 as is_whole,
        b.stat_date as before_date,
        coalesce(b.is_whole, false) as was_whole
    from table_size_observations as o
    left join lateral (
        select
            e.stat_date,
            e.missing = '[]' and e.smaller_tables = 0 as is_whole
        from table_size_observations as e
        where e.instance_id = o.instance_id and e.database_name = o.database_name and e.stat_date < o.stat_date and e.reason is null
        order by e.stat_date desc
        limit 1
    ) as b on true
    where o.stat_date = %(day)s and o.reason is null
),

present as (
    select
        o.is_whole,
        o.was_whole,
        s.instance_id,
        s.database_name,
        s.schema_name,
        s.table_name,
        s.total_bytes
    from observed as o
    inner join table_sizes as s on o.instance_id = s.instance_id and o.database_name = s.database_name
    where s.stat_date = %(day)s and s.partition_name = '' and s.table_name <> ''
),

earlier as (
    select
        o.is_whole,
        s.instance_id,
        s.database_name,
        s.schema_name,
        s.table_name,
        s.total_bytes
    from observed as o
    inner join table_sizes as s on o.instance_id = s.instance_id and o.database_name = s.database_name and o.before_date = s.stat_date
    where s.partition_name = '' and s.table_name <> ''
),

compared as (
    select
        coalesce(p.instance_id, e.instance_id) as instance_id,
        coalesce(p.database_name, e.database_name) as database_name,
        coalesce(p.schema_name, e.schema_name) as schema_name,
        coalesce(p.table_name, e.table_name) as table_name,
        coalesce(p.total_bytes, e.total_bytes) as total_bytes,
        p.total_bytes is not null as is_present,
        p.total_bytes - e.total_bytes as change_bytes,
        e.table_name is null and p.was_whole as is_new,
        p.table_name is null and e.is_whole as is_gone
    from present as p
    full join earlier as e
        on
            p.instance_id = e.instance_id
            and p.database_name = e.database_name
            and p.schema_name = e.schema_name
            and p.table_name = e.table_name
),

ranked as (
    select
        'largest' as ranking,
        c.*,
        row_number() over (order by total_bytes desc, instance_id, database_name, schema_name, table_name) as place
    from compared as c
    where is_present
    union all
    select
        'fastest growing' as ranking,
        c.*,
        row_number() over (order by change_bytes desc, instance_id, database_name, schema_name, table_name) as place
    from compared as c
    where change_bytes > 0
    union all
    select
        case when is_new then 'new' else 'gone' end as ranking,
        c.*,
        row_number() over (partition by is_new order by total_bytes desc, instance_id, database_name, schema_name, table_name) as place
    from compared as c
    where is_new or is_gone
)

select
    r.ranking,
    i.name as instance_name,
    r.database_name,
    r.schema_name,
    r.table_name,
    r.total_bytes,
    r.change_bytes
from ranked as r
inner join instances as i on r.instance_id = i.instance_id
where r.place <= %(most)s
order by r.ranking, r.place
