-- Keeps root, which has no password, away from the network: with names not resolved, root@localhost is the unix socket alone.
-- Parameters: none.
-- Returns: nothing.
delete from mysql.global_priv
where user = 'root' and host <> 'localhost';
