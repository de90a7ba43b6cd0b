-- Every database of the server, including templates and what an interrupted DROP left.
-- Parameters: none.
-- Returns: database_name (bytea, because it may not be UTF-8), database_id. Source: catalogue pg_database.
select
    pg_catalog.textsend(datname::pg_catalog.text) as database_name,
    oid as database_id
from pg_catalog.pg_database
