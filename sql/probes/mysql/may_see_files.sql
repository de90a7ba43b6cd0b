-- Reads a cheap view that requires PROCESS and has the same name on MySQL and MariaDB: error 1227 means that the privilege is missing.
-- Parameters: none.
-- Returns: name, at most one row.
select name from information_schema.innodb_metrics
order by name
limit 1
