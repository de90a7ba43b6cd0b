-- The allocated pages (8 KB) of the tables and indexed views of one database, by index and partition. XML, spatial and other indexes that
-- are internal tables belong to the table that they index. What an open transaction is just changing is read as it is (nolock).
-- Parameters: database_name, composed as a quoted name (not in this comment: a name may hold a line feed).
-- Returns: schema_name_bytes and table_name_bytes (UTF-16), is_view, is_in_memory (1 or 0), index_id (0 and 1 are the table's own rows),
-- is_internal (1 or 0), partition_number, total_bytes, lob_bytes, row_estimate (the server's count, which is approximate).
select
    cast(s.name as varbinary(256)) as schema_name_bytes,
    cast(o.name as varbinary(256)) as table_name_bytes,
    case when o.type = 'V' then 1 else 0 end as is_view,
    case when t.is_memory_optimized = 1 then 1 else 0 end as is_in_memory,
    p.index_id,
    case when i.parent_id is null then 0 else 1 end as is_internal,
    p.partition_number,
    sum(cast(u.total_pages as bigint) * 8192) as total_bytes,
    sum(cast(case when u.type = 2 then u.total_pages else 0 end as bigint) * 8192) as lob_bytes,
    max(p.rows) as row_estimate
from {database_name}.sys.partitions as p with (nolock)
left outer join {database_name}.sys.internal_tables as i with (nolock) on p.object_id = i.object_id
inner join {database_name}.sys.objects as o with (nolock) on o.object_id = coalesce(i.parent_id, p.object_id)
inner join {database_name}.sys.schemas as s with (nolock) on o.schema_id = s.schema_id
left outer join {database_name}.sys.tables as t with (nolock) on o.object_id = t.object_id
left outer join {database_name}.sys.allocation_units as u with (nolock)
    on u.container_id = case when u.type = 2 then p.partition_id else p.hobt_id end
where o.type in ('U', 'V') and o.is_ms_shipped = 0
group by
    o.object_id, s.name, o.name, o.type, t.is_memory_optimized, p.object_id, p.index_id, i.parent_id, p.partition_number
