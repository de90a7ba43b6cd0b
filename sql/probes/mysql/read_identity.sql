-- The identifier of a MySQL server. It is generated with the data directory, and each replica has its own. MariaDB has none.
-- Parameters: none.
-- Returns: server_uuid.
select @@server_uuid as server_uuid
