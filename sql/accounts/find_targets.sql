-- The servers and databases that have an object of this name on a day, by the privileges on it or, without a table, by the inventory.
-- Parameters: day, names (text[] of instances; NULL: all), path (text[]: one to three names, from the outside to the inside).
-- Returns: instance_id, instance_name, engine, database_name, schema_name, object_name.
with wanted as (
    select
        i.instance_id,
        i.name as instance_name,
        i.engine,
        cardinality(%(path)s::text[]) as depth,
        case
            when i.engine = 'oracle' then null
            when i.engine = 'mysql' or cardinality(%(path)s::text[]) <> 2 then (%(path)s::text[])[1]
        end as database_name,
        case
            when i.engine = 'oracle' then (%(path)s::text[])[1]
            when i.engine = 'mysql' then null
            when cardinality(%(path)s::text[]) = 2 then (%(path)s::text[])[1]
            else (%(path)s::text[])[2]
        end as schema_name,
        case when cardinality(%(path)s::text[]) > 1 then (%(path)s::text[])[cardinality(%(path)s::text[])] end as object_name
    from instances as i
    where
        i.deleted_at is null
        and (%(names)s::text[] is null or i.name = any(%(names)s::text[]))
        and not (cardinality(%(path)s::text[]) = 3 and i.engine in ('mysql', 'oracle'))
),

-- computed once and first: the other way round, every instance would be compared with everybody who has a privilege on such an object
objects as materialized (
    select distinct
        a.instance_id,
        f.database_name,
        f.schema_name,
        f.object_name
    from account_privilege_facts as f
    inner join account_privileges as p on f.fact_id = p.fact_id
    inner join instance_accounts as a on p.account_id = a.account_id
    where
        cardinality(%(path)s::text[]) > 1
        and f.object_name = (%(path)s::text[])[cardinality(%(path)s::text[])]
        and f.scope in ('table', 'column')
        and not f.traits ~ 'pattern'
        and p.valid_from <= %(day)s
        and (p.valid_until is null or p.valid_until > %(day)s)
)

-- MySQL and Oracle: privileges on a whole server or schema hold for tables that no privilege names
select
    w.instance_id,
    w.instance_name,
    w.engine,
    w.database_name,
    w.schema_name,
    w.object_name
from wanted as w
where
    (
        (w.engine in ('postgresql', 'sqlserver', 'mysql') and (w.object_name is null or w.engine = 'mysql'))
        and exists (
            select 1 from database_activity as d
            where
                d.instance_id = w.instance_id
                and d.database_name = w.database_name
                and d.active_from <= %(day)s
                and (d.active_until is null or d.active_until > %(day)s)
        )
    )
    or (
        w.engine = 'oracle'
        and exists (select 1 from instance_accounts as a where a.instance_id = w.instance_id and a.account_name = w.schema_name)
    )
union
select
    w.instance_id,
    w.instance_name,
    w.engine,
    o.database_name,
    o.schema_name,
    o.object_name
from wanted as w
inner join objects as o
    on
        w.instance_id = o.instance_id
        and w.schema_name is not distinct from o.schema_name
        and (w.database_name is null or w.database_name = o.database_name)
order by instance_name, database_name, schema_name
