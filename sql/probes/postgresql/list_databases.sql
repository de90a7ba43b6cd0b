-- Every database of the server, templates and what an interrupted DROP left included.
-- Parameters: none.
-- Returns: database_name (bytea, because it need not be UTF-8), database_id. Source: catalogue pg_database.
select
    pg_catalog.textsend(datname::pg_catalog.text) as database_name,
    oid as database_id
from pg_catalog.pg_database
