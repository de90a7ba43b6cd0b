-- What is in use of every tablespace. The server counts it in the tablespace's own blocks and keeps it ready; adding up dba_free_space
-- would take minutes where the recycle bin is full. Its tablespace_size is not that of the files, but what they may grow to.
-- Parameters: none.
-- Returns: database_name, name_bytes, used_bytes.
select
    t.tablespace_name as database_name,
    rawtohex(t.tablespace_name) as name_bytes,
    m.used_space * t.block_size as used_bytes
from sys.dba_tablespace_usage_metrics m
inner join sys.dba_tablespaces t on m.tablespace_name = t.tablespace_name
