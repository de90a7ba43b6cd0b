-- Every database that can be entered, whether this login may, and the names as GRANT wants them. What an interrupted DROP left cannot be.
-- Parameters: none.
-- Returns: database_name, quoted_name, quoted_login (bytea), is_current, accepts_connections, may_connect. Source: catalogue pg_database.
select
    pg_catalog.textsend(datname::pg_catalog.text) as database_name,
    pg_catalog.textsend(pg_catalog.quote_ident(datname::pg_catalog.text)) as quoted_name,
    pg_catalog.textsend(pg_catalog.quote_ident(current_user::pg_catalog.text)) as quoted_login,
    datname operator(pg_catalog.=) pg_catalog.current_database() as is_current,
    datallowconn and datconnlimit operator(pg_catalog.<>) -2 as accepts_connections,
    coalesce(pg_catalog.has_database_privilege(oid, 'CONNECT'), false) as may_connect
from pg_catalog.pg_database
order by datname
