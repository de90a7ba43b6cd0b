-- Asks for a table of a schema that does not exist: error 1142 says that the login has no privilege on all tables of the server.
-- Parameters: none.
-- Returns: nothing, always an error; any but 1142 says that it may see all tables (partial revokes aside), through whatever role.
show create table whalefall_absent.whalefall_absent
