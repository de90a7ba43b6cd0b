-- What the server is, which container we are in (a PDB, or the only database there is), and who we are.
-- Parameters: none.
-- Returns: server_version, container_name, quoted_login.
select
    max(version) as server_version,
    max(sys_context('USERENV', 'CON_NAME')) as container_name,
    max('"' || sys_context('USERENV', 'SESSION_USER') || '"') as quoted_login
from product_component_version
where product like 'Oracle%'
