-- One database of a demo server.
-- Parameters: database (identifier), composed because DDL takes no parameters.
-- Returns: nothing.
create database {database}
