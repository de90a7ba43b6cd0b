-- Users and roles of one database. A user is the login with its SID, whatever both are called.
-- Parameters: database_name, as a value and, composed, as a quoted name. The statements of several databases are joined by union all.
-- Returns: database_name, principal_id, name_bytes (UTF-16), sid (bytes), type (R role, A application role, else a user or group),
-- authentication_type (0 none, 1 by a login, 2 by the database, 3 by Windows, 4 external). Source: sys.database_principals.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    p.principal_id,
    cast(p.name as varbinary(256)) as name_bytes,
    p.sid,
    p.type,
    p.authentication_type
from {database_name}.sys.database_principals as p
