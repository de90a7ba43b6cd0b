-- Act as the owner of a table where this login is another one: only an owner makes months and takes them away.
-- Parameters: table_name, is_local (whether only for this transaction).
-- Returns: role, no row where this login is the owner. A month that a superuser makes is thereby the owner's, too.
select set_config('role', pg_get_userbyid(relowner), %(is_local)s) as role
from pg_catalog.pg_class
where oid = to_regclass(%(table_name)s) and pg_get_userbyid(relowner) <> current_user
