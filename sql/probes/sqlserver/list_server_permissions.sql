-- Permissions on the server, its principals, endpoints and availability groups.
-- Parameters: none.
-- Returns: class, class_desc, major_id, grantee_id, grantor_id, privilege, state (G granted, W with grant option, D denied). Source:
-- sys.server_permissions.
select
    p.class,
    p.class_desc,
    p.major_id,
    p.grantee_principal_id as grantee_id,
    p.grantor_principal_id as grantor_id,
    p.permission_name as privilege,
    p.state
from sys.server_permissions as p
