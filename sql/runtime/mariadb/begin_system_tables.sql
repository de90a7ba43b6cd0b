-- What mariadb-install-db feeds to a new server before MariaDB's own system tables; every statement must end its line.
-- Parameters: none.
-- Returns: nothing.
create database mysql;
use mysql;
set @auth_root_socket = null;
