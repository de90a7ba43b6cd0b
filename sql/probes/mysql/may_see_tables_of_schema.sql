-- Asks for a table that does not exist in the current schema: error 1142 says that the login has no privilege on all tables of the schema.
-- Parameters: none; the schema is the one that was selected.
-- Returns: nothing, always an error; any but 1142 says that it may see all tables, through whatever role or pattern.
show create table whalefall_absent
