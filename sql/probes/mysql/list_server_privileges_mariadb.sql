-- Privileges on the whole server of a MariaDB, as far as mysql.user has columns for them.
-- Parameters: none.
-- Returns: user_name, host_name, privileges (separated by commas). Source: mysql.user.
select
    User as user_name,
    Host as host_name,
    concat_ws(
        ',',
        if(Select_priv = 'Y', 'SELECT', null),
        if(Insert_priv = 'Y', 'INSERT', null),
        if(Update_priv = 'Y', 'UPDATE', null),
        if(Delete_priv = 'Y', 'DELETE', null),
        if(Create_priv = 'Y', 'CREATE', null),
        if(Drop_priv = 'Y', 'DROP', null),
        if(Reload_priv = 'Y', 'RELOAD', null),
        if(Shutdown_priv = 'Y', 'SHUTDOWN', null),
        if(Process_priv = 'Y', 'PROCESS', null),
        if(File_priv = 'Y', 'FILE', null),
        if(Grant_priv = 'Y', 'GRANT OPTION', null),
        if(References_priv = 'Y', 'REFERENCES', null),
        if(Index_priv = 'Y', 'INDEX', null),
        if(Alter_priv = 'Y', 'ALTER', null),
        if(Show_db_priv = 'Y', 'SHOW DATABASES', null),
        if(Super_priv = 'Y', 'SUPER', null),
        if(Create_tmp_table_priv = 'Y', 'CREATE TEMPORARY TABLES', null),
        if(Lock_tables_priv = 'Y', 'LOCK TABLES', null),
        if(Execute_priv = 'Y', 'EXECUTE', null),
        if(Repl_slave_priv = 'Y', 'REPLICATION SLAVE', null),
        if(Repl_client_priv = 'Y', 'REPLICATION CLIENT', null),
        if(Create_view_priv = 'Y', 'CREATE VIEW', null),
        if(Show_view_priv = 'Y', 'SHOW VIEW', null),
        if(Create_routine_priv = 'Y', 'CREATE ROUTINE', null),
        if(Alter_routine_priv = 'Y', 'ALTER ROUTINE', null),
        if(Create_user_priv = 'Y', 'CREATE USER', null),
        if(Event_priv = 'Y', 'EVENT', null),
        if(Trigger_priv = 'Y', 'TRIGGER', null),
        if(Create_tablespace_priv = 'Y', 'CREATE TABLESPACE', null),
        if(Delete_history_priv = 'Y', 'DELETE HISTORY', null)
    ) as privileges
from mysql.user
