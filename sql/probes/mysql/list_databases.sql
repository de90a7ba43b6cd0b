-- Every schema that the login may see; a global privilege such as SHOW VIEW lets it see all of them.
-- Parameters: none.
-- Returns: database_name.
select schema_name as database_name from information_schema.schemata
