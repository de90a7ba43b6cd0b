-- The used space of every tablespace. The server maintains it in blocks of the tablespace; summing dba_free_space would take minutes when
-- the recycle bin is full. tablespace_size in this view is not the size of the files, but the size to which they may grow.
-- Parameters: none.
-- Returns: database_name, name_bytes, used_bytes.
select
    t.tablespace_name as database_name,
    rawtohex(t.tablespace_name) as name_bytes,
    m.used_space * t.block_size as used_bytes
from sys.dba_tablespace_usage_metrics m
inner join sys.dba_tablespaces t on m.tablespace_name = t.tablespace_name
