-- Asks for something that only PROCESS shows, under the same name on MySQL and MariaDB, and cheap: error 1227 without the privilege.
-- Parameters: none.
-- Returns: name, at most one row.
select name from information_schema.innodb_metrics
order by name
limit 1
