-- Privileges on schemas of a MariaDB. Db is a LIKE pattern.
-- Parameters: none.
-- Returns: user_name, host_name, schema_pattern, privileges (separated by commas). Source: table mysql.db.
select
    User as user_name,
    Host as host_name,
    Db as schema_pattern,
    concat_ws(
        ',',
        if(Select_priv = 'Y', 'SELECT', null),
        if(Insert_priv = 'Y', 'INSERT', null),
        if(Update_priv = 'Y', 'UPDATE', null),
        if(Delete_priv = 'Y', 'DELETE', null),
        if(Create_priv = 'Y', 'CREATE', null),
        if(Drop_priv = 'Y', 'DROP', null),
        if(Grant_priv = 'Y', 'GRANT OPTION', null),
        if(References_priv = 'Y', 'REFERENCES', null),
        if(Index_priv = 'Y', 'INDEX', null),
        if(Alter_priv = 'Y', 'ALTER', null),
        if(Create_tmp_table_priv = 'Y', 'CREATE TEMPORARY TABLES', null),
        if(Lock_tables_priv = 'Y', 'LOCK TABLES', null),
        if(Execute_priv = 'Y', 'EXECUTE', null),
        if(Create_view_priv = 'Y', 'CREATE VIEW', null),
        if(Show_view_priv = 'Y', 'SHOW VIEW', null),
        if(Create_routine_priv = 'Y', 'CREATE ROUTINE', null),
        if(Alter_routine_priv = 'Y', 'ALTER ROUTINE', null),
        if(Event_priv = 'Y', 'EVENT', null),
        if(Trigger_priv = 'Y', 'TRIGGER', null),
        if(Delete_history_priv = 'Y', 'DELETE HISTORY', null)
    ) as privileges
from mysql.db
