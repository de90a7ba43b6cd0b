-- Owners of the schemas of one database, who own what is in them too; an object may have an owner of its own, which is not listed.
-- Parameters: database_name, as a value and, composed, as a quoted name. The statements of several databases are joined by union all.
-- Returns: database_name, schema_name, owner_id (a principal of the database). Source: sys.schemas.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    s.name as schema_name,
    s.principal_id as owner_id
from {database_name}.sys.schemas as s
