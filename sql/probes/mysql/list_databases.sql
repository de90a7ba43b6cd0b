-- Every schema that is visible to the login. With a global privilege such as SHOW VIEW all of them are.
-- Parameters: none.
-- Returns: database_name.
select schema_name as database_name from information_schema.schemata
