-- The segments of tables in one tablespace, by table and partition: rows, indexes and LOBs. The rows of an index-organized table are in a
-- segment of its primary key. What was dropped and not purged (BIN$…), undo and whatever else is in no list here belongs to no table.
-- Parameters: database_name (the tablespace).
-- Returns: owner_name, owner_name_bytes, table_name, table_name_bytes, partition_name (of the table's own segments; NULL without), part
-- (data, index or lob), total_bytes, row_estimate (of the table's last statistics; NULL without). Source: dba_segments.
with segments as (
    select
        s.owner,
        s.segment_name,
        s.partition_name,
        s.segment_type,
        s.bytes
    from sys.dba_segments s
    where s.tablespace_name = %(database_name)s and s.segment_name not like 'BIN$%%'
),

parts as (
    select
        s.owner,
        s.segment_name as table_name,
        s.partition_name,
        'data' as part,
        s.bytes
    from segments s
    where s.segment_type in ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION', 'NESTED TABLE')
    union all
    select
        i.table_owner as owner,
        i.table_name,
        case when i.index_type = 'IOT - TOP' then s.partition_name end as partition_name,
        case when i.index_type = 'IOT - TOP' then 'data' else 'index' end as part,
        s.bytes
    from segments s
    inner join sys.dba_indexes i on s.owner = i.owner and s.segment_name = i.index_name
    where s.segment_type in ('INDEX', 'INDEX PARTITION', 'INDEX SUBPARTITION')
    union all
    select
        l.owner,
        l.table_name,
        null as partition_name,
        'lob' as part,
        s.bytes
    from segments s
    inner join sys.dba_lobs l on s.owner = l.owner and (s.segment_name = l.segment_name or s.segment_name = l.index_name)
    where s.segment_type in ('LOBSEGMENT', 'LOB PARTITION', 'LOB SUBPARTITION', 'LOBINDEX')
)

select
    p.owner as owner_name,
    rawtohex(p.owner) as owner_name_bytes,
    p.table_name,
    rawtohex(p.table_name) as table_name_bytes,
    p.partition_name,
    p.part,
    sum(p.bytes) as total_bytes,
    max(t.num_rows) as row_estimate
from parts p
left join sys.dba_tables t on p.owner = t.owner and p.table_name = t.table_name
group by p.owner, p.table_name, p.partition_name, p.part
