-- The tables of a schema without a known size: those of `sum_other_tables`, and InnoDB tables whose file is lost, discarded or unreadable.
-- On MySQL a lost InnoDB table keeps its last size and is not listed.
-- Parameters: database_name.
-- Returns: table_name.
select t.table_name
from information_schema.tables as t
where
    t.table_schema = %(database_name)s
    and t.table_type not in ('VIEW', 'SYSTEM VIEW')
    and (
        t.engine is null
        or (t.engine in ('InnoDB', 'CSV', 'MyISAM', 'Aria', 'ARCHIVE') and coalesce(t.data_length + t.index_length, 0) = 0)
        or (
            t.data_length is null
            and t.engine not in (
                'MEMORY', 'BLACKHOLE', 'FEDERATED', 'MRG_MyISAM', 'PERFORMANCE_SCHEMA', 'SEQUENCE', 'SPIDER', 'S3', 'SPHINX', 'OQGRAPH'
            )
        )
    )
order by t.table_name
