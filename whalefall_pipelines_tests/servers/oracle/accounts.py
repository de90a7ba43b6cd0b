"""The part of the simulated Oracle's dictionary that tells accounts and privileges, with the columns that Oracle documents."""

ACCOUNTS = ("dba_users", "dba_roles", "dba_role_privs", "dba_sys_privs", "dba_tab_privs", "dba_col_privs", "dba_proxies", "v_$pwfile_users")
TABLES = """
create table sys.dba_users (username varchar, user_id integer, account_status varchar, expiry_date timestamp, last_login timestamp,
    authentication_type varchar, profile varchar, common varchar, oracle_maintained varchar);
create table sys.dba_roles (role varchar, authentication_type varchar, common varchar, oracle_maintained varchar);
create table sys.dba_role_privs (grantee varchar, granted_role varchar, admin_option varchar, default_role varchar);
create table sys.dba_sys_privs (grantee varchar, privilege varchar, admin_option varchar);
create table sys.dba_tab_privs (
    grantee varchar, owner varchar, table_name varchar, grantor varchar, privilege varchar, grantable varchar, type varchar);
create table sys.dba_col_privs (
    grantee varchar, owner varchar, table_name varchar, column_name varchar, grantor varchar, privilege varchar, grantable varchar);
create table sys.dba_proxies (proxy varchar, client varchar);
create table sys."v_$pwfile_users" (
    username varchar, sysdba varchar, sysoper varchar, sysbackup varchar, sysdg varchar, syskm varchar);
create macro systimestamp() as '18:00:00+08:00'::timetz;
create macro sys_extract_utc(instant) as instant;
"""
