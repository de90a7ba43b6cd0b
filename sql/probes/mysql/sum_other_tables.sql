-- The files of a schema's tables of other engines than InnoDB: MyISAM, Aria, ARCHIVE. CSV never tells its size, nor does a table that
-- cannot be opened: those are counted as unsized.
-- Parameters: database_name.
-- Returns: total_bytes, unsized_count.
select
    cast(coalesce(sum(t.data_length + t.index_length), 0) as signed) as total_bytes,
    cast(coalesce(sum(t.engine = 'CSV' or t.engine is null or t.data_length is null), 0) as signed) as unsized_count
from information_schema.tables as t
where
    t.table_schema = %(database_name)s
    and t.table_type not in ('VIEW', 'SYSTEM VIEW')
    and (
        t.engine is null
        or t.engine not in (
            'InnoDB', 'MEMORY', 'BLACKHOLE', 'FEDERATED', 'MRG_MyISAM', 'PERFORMANCE_SCHEMA', 'SEQUENCE', 'SPIDER', 'S3'
        )
    )
