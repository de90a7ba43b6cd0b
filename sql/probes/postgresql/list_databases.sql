-- Every database of the server, templates included; not what an interrupted DROP left (limit -2), whose files are going away.
-- Parameters: none.
-- Returns: database_name (bytea, because it need not be UTF-8), database_id. Source: catalogue pg_database.
select
    textsend(datname::text) as database_name,
    oid as database_id
from pg_catalog.pg_database
where datconnlimit <> -2
