-- The tables of the current database with their files on disk: the largest, the rest as one row, and what belongs to no table as another
-- one, so that all but the partitions add up to `pg_database_size`, to the byte. That function is called last: what grows meanwhile belongs
-- to no table. A partitioned table is the sum of its partitions at any depth, unless one of them is missing. Each size is read under an
-- ACCESS SHARE lock on its table for the moment of reading; a table for which somebody holds or awaits ACCESS EXCLUSIVE is not touched, so
-- that nobody is waited for. Temporary tables belong to no table, catalogues neither, but for pg_largeobject with large objects in it.
-- Parameters: at_most (rows of tables and partitions, and as many that are missing).
-- Returns: row_kind (relkind of a table; `u` unlogged, `s` the rest, `n` what belongs to no table), state (measured, locked, vanished,
-- incomplete), schema_name, table_name, partition_schema, partition_name (bytea; the last two NULL for a table), total_bytes, data_bytes,
-- index_bytes, toast_bytes, row_estimate (reltuples; NULL before the first VACUUM or ANALYZE), table_count and partition_count of the rest.
with locked as materialized (
    select relation as relation_id
    from pg_catalog.pg_locks
    where
        mode operator(pg_catalog.=) 'AccessExclusiveLock'
        and relation is not null
        and database operator(pg_catalog.=) (
            select oid from pg_catalog.pg_database
            where datname operator(pg_catalog.=) pg_catalog.current_database()
        )
),

held as (
    -- The locked relations themselves, and those of locked indexes.
    select relation_id from locked
    union all
    select indrelid as relation_id
    from pg_catalog.pg_index
    where indexrelid operator(pg_catalog.=) any(array(select relation_id from locked))
),

listed as (
    select
        relation.oid as table_id,
        case when relation.relispartition then pg_catalog.pg_partition_root(relation.oid) end as root_id,
        relation.relkind as kind,
        relation.relpersistence as persistence,
        namespace.nspname as schema_name,
        relation.relname as table_name,
        relation.reltoastrelid as toast_id,
        case when relation.reltuples operator(pg_catalog.>=) 0 then relation.reltuples::pg_catalog.int8 end as row_estimate,
        relation.oid operator(pg_catalog.=) any(array(select relation_id from held))
        or relation.reltoastrelid operator(pg_catalog.=) any(array(select relation_id from held)) as is_locked
    from pg_catalog.pg_class as relation
    inner join pg_catalog.pg_namespace as namespace on relation.relnamespace operator(pg_catalog.=) namespace.oid
    where
        relation.relkind::pg_catalog.text operator(pg_catalog.=) any(array['r', 'm', 'f', 'p'])
        and relation.relpersistence operator(pg_catalog.<>) 't'
        and not (relation.relkind operator(pg_catalog.=) 'p' and relation.relispartition)
        and (
            namespace.nspname operator(pg_catalog.<>) all(array['pg_catalog', 'information_schema', 'pg_toast'])
            -- pg_largeobject
            or (relation.oid operator(pg_catalog.=) 2613 and pg_catalog.pg_relation_size(2613) operator(pg_catalog.>) 0)
        )
),

sized as materialized (
    -- NULL sizes: the table is locked, or was dropped since the statement began.
    select
        listed.*,
        root.table_id as parent_id,
        case
            when listed.kind operator(pg_catalog.=) 'f' then 0
            when not listed.is_locked then pg_catalog.pg_table_size(listed.table_id)
        end as table_bytes,
        case
            when listed.kind operator(pg_catalog.=) 'f' then 0
            when not listed.is_locked then pg_catalog.pg_indexes_size(listed.table_id)
        end as index_bytes,
        case
            when listed.toast_id operator(pg_catalog.=) 0::pg_catalog.oid then 0
            when not listed.is_locked then pg_catalog.pg_total_relation_size(listed.toast_id)
        end as toast_bytes
    from listed
    -- A partition that was detached since the statement began is its own root.
    left join listed as root on listed.root_id operator(pg_catalog.=) root.table_id and root.kind operator(pg_catalog.=) 'p'
    where listed.kind operator(pg_catalog.<>) 'p'
),

measured as (
    select
        *,
        table_bytes operator(pg_catalog.-) toast_bytes as data_bytes,
        table_bytes operator(pg_catalog.+) index_bytes as total_bytes,
        case
            when table_bytes operator(pg_catalog.+) index_bytes operator(pg_catalog.+) toast_bytes is not null then 'measured'
            when is_locked then 'locked'
            else 'vanished'
        end as state
    from sized
),

parents as (
    select
        parent_id,
        pg_catalog.bool_or(state operator(pg_catalog.=) 'locked') as is_incomplete,
        pg_catalog.sum(case when state operator(pg_catalog.=) 'measured' then data_bytes end) as data_bytes,
        pg_catalog.sum(case when state operator(pg_catalog.=) 'measured' then index_bytes end) as index_bytes,
        pg_catalog.sum(case when state operator(pg_catalog.=) 'measured' then toast_bytes end) as toast_bytes,
        case when pg_catalog.bool_and(row_estimate is not null) then pg_catalog.sum(row_estimate) end as row_estimate
    from measured
    where parent_id is not null
    group by parent_id
),

tables as (
    select
        case when persistence operator(pg_catalog.=) 'u' then 'u' else kind::pg_catalog.text end as row_kind,
        state,
        table_id,
        parent_id,
        schema_name,
        table_name,
        total_bytes,
        data_bytes,
        index_bytes,
        toast_bytes,
        row_estimate
    from measured
    union all
    select
        'p' as row_kind,
        case when parents.is_incomplete then 'incomplete' else 'measured' end as state,
        listed.table_id,
        null as parent_id,
        listed.schema_name,
        listed.table_name,
        coalesce(
            parents.data_bytes operator(pg_catalog.+) parents.index_bytes operator(pg_catalog.+) parents.toast_bytes, 0
        ) as total_bytes,
        coalesce(parents.data_bytes, 0) as data_bytes,
        coalesce(parents.index_bytes, 0) as index_bytes,
        coalesce(parents.toast_bytes, 0) as toast_bytes,
        parents.row_estimate
    from listed
    left join parents on listed.table_id operator(pg_catalog.=) parents.parent_id
    where listed.kind operator(pg_catalog.=) 'p'
),

ranked as materialized (
    select
        *,
        pg_catalog.row_number() over (
            partition by state operator(pg_catalog.=) 'measured'
            order by total_bytes desc nulls last, parent_id nulls first, table_id
        ) as place
    from tables
),

sums as (
    select
        pg_catalog.sum(total_bytes) as total_bytes,
        pg_catalog.sum(case when place operator(pg_catalog.>) %(at_most)s then total_bytes end) as smaller_bytes,
        pg_catalog.count(case when place operator(pg_catalog.>) %(at_most)s then 1 end) as smaller_count
    from ranked
    where state operator(pg_catalog.=) 'measured' and parent_id is null
)

select
    ranked.row_kind,
    ranked.state,
    pg_catalog.textsend(coalesce(root.schema_name, ranked.schema_name)::pg_catalog.text) as schema_name,
    pg_catalog.textsend(coalesce(root.table_name, ranked.table_name)::pg_catalog.text) as table_name,
    case when root.table_id is not null then pg_catalog.textsend(ranked.schema_name::pg_catalog.text) end as partition_schema,
    case when root.table_id is not null then pg_catalog.textsend(ranked.table_name::pg_catalog.text) end as partition_name,
    ranked.total_bytes::pg_catalog.int8 as total_bytes,
    ranked.data_bytes::pg_catalog.int8 as data_bytes,
    ranked.index_bytes::pg_catalog.int8 as index_bytes,
    ranked.toast_bytes::pg_catalog.int8 as toast_bytes,
    ranked.row_estimate::pg_catalog.int8 as row_estimate,
    null as table_count,
    null as partition_count
from ranked
left join listed as root on ranked.parent_id operator(pg_catalog.=) root.table_id
where ranked.place operator(pg_catalog.<=) %(at_most)s
union all
select
    's' as row_kind,
    'measured' as state,
    null as schema_name,
    null as table_name,
    null as partition_schema,
    null as partition_name,
    coalesce(sums.smaller_bytes, 0)::pg_catalog.int8 as total_bytes,
    null as data_bytes,
    null as index_bytes,
    null as toast_bytes,
    null as row_estimate,
    sums.smaller_count as table_count,
    (
        select pg_catalog.count(*) from ranked
        where
            state operator(pg_catalog.=) 'measured'
            and parent_id is not null
            and place operator(pg_catalog.>) %(at_most)s
    ) as partition_count
from sums
union all
select
    'n' as row_kind,
    'measured' as state,
    null as schema_name,
    null as table_name,
    null as partition_schema,
    null as partition_name,
    pg_catalog.pg_database_size(database.oid) operator(pg_catalog.-) coalesce(sums.total_bytes, 0)::pg_catalog.int8 as total_bytes,
    null as data_bytes,
    null as index_bytes,
    null as toast_bytes,
    null as row_estimate,
    null as table_count,
    null as partition_count
from sums
cross join pg_catalog.pg_database as database
where database.datname operator(pg_catalog.=) pg_catalog.current_database()
