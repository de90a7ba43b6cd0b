-- Every tablespace of the current container.
-- Parameters: none.
-- Returns: database_name, name_bytes (the name in the server's character set, as hexadecimal digits). Source: dba_tablespaces.
select
    t.tablespace_name as database_name,
    rawtohex(t.tablespace_name) as name_bytes
from sys.dba_tablespaces t
