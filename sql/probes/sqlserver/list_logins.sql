-- Logins and server roles. No hash is read: sys.sql_logins shows it to nobody without CONTROL SERVER.
-- Parameters: none.
-- Returns: principal_id, name_bytes (UTF-16), sid (bytes), type (S, U, G, C, K, E, X: logins, groups among them; R: role),
-- is_disabled, is_fixed_role, is_superuser, is_locked, is_expired, password_changed_at (the server's local time), offset_minutes (of
-- that time now), is_policy_checked, is_expiration_checked (NULL but for SQL logins). Sources: sys.server_principals, sys.sql_logins,
-- LOGINPROPERTY.
select
    p.principal_id,
    cast(p.name as varbinary(256)) as name_bytes,
    p.sid,
    p.type,
    p.is_disabled,
    p.is_fixed_role,
    case
        when p.principal_id in (1, 3) then 1
        when exists (
            select m.member_principal_id from sys.server_role_members as m
            where m.role_principal_id = 3 and m.member_principal_id = p.principal_id
        ) then 1
        else 0
    end as is_superuser,
    cast(case when p.type = 'S' then loginproperty(p.name, 'IsLocked') end as int) as is_locked,
    cast(case when p.type = 'S' then loginproperty(p.name, 'IsExpired') end as int) as is_expired,
    cast(case when p.type = 'S' then loginproperty(p.name, 'PasswordLastSetTime') end as datetime) as password_changed_at,
    datediff(minute, getutcdate(), getdate()) as offset_minutes,
    l.is_policy_checked,
    l.is_expiration_checked
from sys.server_principals as p
left outer join sys.sql_logins as l on p.principal_id = l.principal_id
