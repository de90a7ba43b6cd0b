-- Reads a table of a schema that does not exist: error 1142 means that the login has no privilege on all tables of the server.
-- Parameters: none.
-- Returns: nothing, always an error; any error but 1142 means that the login sees all tables (except for partial revokes), perhaps
-- through a role.
show create table whalefall_absent.whalefall_absent
