-- Reads a table that does not exist in the current schema: error 1142 means that the login has no privilege on all tables of the schema.
-- Parameters: none; the schema is the selected one.
-- Returns: nothing, always an error; any error but 1142 means that the login sees all tables, through a role or a pattern.
show create table whalefall_absent
