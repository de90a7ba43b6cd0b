-- The disk usage of the store by kind, including indexes; the sum is the size of the database.
-- Parameters: none.
-- Returns: kind, total_bytes.
with tables as (
    select
        case
            when root.relname in ('database_size_stats', 'instance_size_stats') then 'sizes'
            when root.relname in ('database_size_aggregations', 'instance_size_aggregations') then 'aggregations'
            when root.relname = 'capacity_gaps' then 'gaps'
            when root.relname in ('sync_sessions', 'sync_instance_records') then 'sessions'
            when root.relname in ('api_tokens', 'api_requests') then 'requests'
        end as kind,
        pg_total_relation_size(c.oid) as total_bytes
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_class as root on root.oid = coalesce(pg_partition_root(c.oid), c.oid)
    where c.relkind = 'r' and c.relnamespace = to_regnamespace(quote_ident(current_schema()))
)

select
    kind,
    sum(total_bytes)::bigint as total_bytes
from tables
where kind is not null
group by kind
union all
select
    'other' as kind,
    (pg_database_size(current_database()) - coalesce(sum(total_bytes), 0))::bigint
from tables
where kind is not null
order by kind
