-- Every role of this container. One with a password is not active at login until it is given.
-- Parameters: none.
-- Returns: account_name, name_bytes, authentication_type, is_common, is_built_in. Source: dba_roles.
select
    r.role as account_name,
    rawtohex(r.role) as name_bytes,
    r.authentication_type,
    case when r.common = 'YES' then 1 else 0 end as is_common,
    case when r.oracle_maintained = 'Y' then 1 else 0 end as is_built_in
from sys.dba_roles r
