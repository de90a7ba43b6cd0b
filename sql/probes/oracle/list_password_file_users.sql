-- Who may log in as an administrator by the password file, whatever the state of the database.
-- Parameters: none.
-- Returns: account_name, is_sysdba, is_sysoper, is_sysbackup, is_sysdg, is_syskm (TRUE or FALSE). Source: v$pwfile_users.
select
    p.username as account_name,
    p.sysdba as is_sysdba,
    p.sysoper as is_sysoper,
    p.sysbackup as is_sysbackup,
    p.sysdg as is_sysdg,
    p.syskm as is_syskm
from sys.v_$pwfile_users p
