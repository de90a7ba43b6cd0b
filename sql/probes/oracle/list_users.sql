-- Every user of this container (Oracle 12.1 and later). No hash is read: none is in this view since 11g.
-- Parameters: none.
-- Returns: account_name, name_bytes, user_id, account_status (OPEN, LOCKED, EXPIRED and the like), expires_at (the server's local time),
-- offset_minutes (of that time now), last_login_at (UTC), authentication_type, profile, is_common, is_built_in, is_superuser. Sources:
-- dba_users, dba_role_privs.
select
    u.username as account_name,
    rawtohex(u.username) as name_bytes,
    u.user_id,
    u.account_status,
    u.expiry_date as expires_at,
    extract(timezone_hour from systimestamp) * 60 + extract(timezone_minute from systimestamp) as offset_minutes,
    sys_extract_utc(u.last_login) as last_login_at,
    u.authentication_type,
    u.profile,
    case when u.common = 'YES' then 1 else 0 end as is_common,
    case when u.oracle_maintained = 'Y' then 1 else 0 end as is_built_in,
    case
        when u.username = 'SYS' then 1
        when exists (select r.grantee from sys.dba_role_privs r where r.grantee = u.username and r.granted_role = 'DBA') then 1
        else 0
    end as is_superuser
from sys.dba_users u
