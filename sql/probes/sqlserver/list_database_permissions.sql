-- Permissions in one database. Those on objects that Microsoft ships come with the database, and are left out.
-- Parameters: database_name, as a value and, composed, as a quoted name. The statements of several databases are joined by union all.
-- Returns: database_name, class (0 database, 1 object or column, 3 schema, 4 principal, else others), class_desc, major_id, grantee_id,
-- grantor_id, privilege, state (G, W, D), schema_name, object_name, object_type (U table, V view and others), column_name. Sources:
-- sys.database_permissions, sys.objects, sys.schemas, sys.columns.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    p.class,
    p.class_desc,
    p.major_id,
    p.grantee_principal_id as grantee_id,
    p.grantor_principal_id as grantor_id,
    p.permission_name as privilege,
    p.state,
    s.name as schema_name,
    o.name as object_name,
    o.type as object_type,
    c.name as column_name
from {database_name}.sys.database_permissions as p
left outer join {database_name}.sys.objects as o on p.major_id = o.object_id and p.class = 1
left outer join {database_name}.sys.schemas as s
    on (o.schema_id = s.schema_id and p.class = 1) or (p.major_id = s.schema_id and p.class = 3)
left outer join {database_name}.sys.columns as c on p.major_id = c.object_id and p.minor_id = c.column_id and p.class = 1
where p.class <> 1 or p.major_id > 0
