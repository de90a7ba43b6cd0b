-- What a MySQL calls itself: made with its data directory, and another one on each replica. MariaDB has none.
-- Parameters: none.
-- Returns: server_uuid.
select @@server_uuid as server_uuid
