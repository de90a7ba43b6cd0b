-- Create one of the store's databases.
-- Parameters: database (identifier), composed because DDL takes no parameters.
-- Returns: nothing.
create database {database} template template0 encoding 'UTF8'
