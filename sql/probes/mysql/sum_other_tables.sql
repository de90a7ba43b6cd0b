-- The files of a schema's tables of other engines than InnoDB: MyISAM, Aria, ARCHIVE. A table that cannot be opened has size NULL on
-- MariaDB and 0 on MySQL, where even an empty table has a header; a CSV table always has size 0. These are counted as unsized. The sizes of
-- all other engines, such as RocksDB or Mroonga, are treated as estimates. Engines that store nothing on this disk are omitted.
-- Parameters: database_name.
-- Returns: total_bytes, unsized_count, estimated_count.
select
    cast(coalesce(sum(t.data_length + t.index_length), 0) as signed) as total_bytes,
    count(
        case
            when t.engine is null or t.data_length is null then 1
            when t.engine in ('CSV', 'MyISAM', 'Aria', 'ARCHIVE') and t.data_length + t.index_length = 0 then 1
        end
    ) as unsized_count,
    count(case when t.engine not in ('CSV', 'MyISAM', 'Aria', 'ARCHIVE') and t.data_length is not null then 1 end) as estimated_count
from information_schema.tables as t
where
    t.table_schema = %(database_name)s
    and t.table_type not in ('VIEW', 'SYSTEM VIEW')
    and (
        t.engine is null
        or t.engine not in (
            'InnoDB', 'MEMORY', 'BLACKHOLE', 'FEDERATED', 'MRG_MyISAM', 'PERFORMANCE_SCHEMA', 'SEQUENCE', 'SPIDER', 'S3', 'SPHINX',
            'OQGRAPH'
        )
    )
