-- Whether the login may measure every database that is there, and its name as GRANT wants it.
-- Parameters: none.
-- Returns: quoted_login, is_held.
select
    quote_ident(current_user) as quoted_login,
    pg_has_role('pg_read_all_stats', 'USAGE') or bool_and(has_database_privilege(oid, 'CONNECT')) as is_held
from pg_catalog.pg_database
where datconnlimit <> -2
