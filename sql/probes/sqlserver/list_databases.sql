-- Every database that the login may see: all of them with VIEW ANY DATABASE. A snapshot is a view of its source, and no database.
-- Parameters: none.
-- Returns: database_name. Source: sys.databases.
select name as database_name from sys.databases
where source_database_id is null
