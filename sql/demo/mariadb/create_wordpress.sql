-- One database of the demo's MariaDB.
-- Parameters: none.
-- Returns: nothing.
create database if not exists wordpress
