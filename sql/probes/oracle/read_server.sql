-- The server, the current container (a PDB, or the only database), and our login. Amazon RDS is recognized by an account that only it has.
-- Parameters: none.
-- Returns: server_version, container_name, container_id (0 without containers, 1 the root), login_name, is_on_rds (1 or 0).
select
    max(p.version) as server_version,
    max(sys_context('USERENV', 'CON_NAME')) as container_name,
    max(sys_context('USERENV', 'CON_ID')) as container_id,
    max(sys_context('USERENV', 'SESSION_USER')) as login_name,
    max(u.user_count) as is_on_rds
from sys.product_component_version p
cross join (select count(a.username) as user_count from sys.all_users a where a.username = 'RDSADMIN') u
where p.product like 'Oracle%'
