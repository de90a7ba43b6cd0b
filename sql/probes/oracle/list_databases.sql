-- Every tablespace of the container that we are in.
-- Parameters: none.
-- Returns: database_name. Source: dba_tablespaces.
select tablespace_name as database_name from dba_tablespaces
