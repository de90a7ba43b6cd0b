-- Which views of a probe are visible to the login, by a grant or a role. SELECT ANY DICTIONARY makes all of them visible.
-- Parameters: none.
-- Returns: view_name, or the name of that privilege.
select lower(v.view_name) as view_name from sys.all_views v
where
    v.owner = 'SYS'
    and v.view_name in (
        'DBA_TABLESPACES', 'DBA_DATA_FILES', 'DBA_TEMP_FILES', 'DBA_TABLESPACE_USAGE_METRICS', 'DBA_HIST_TBSPC_SPACE_USAGE',
        'DBA_HIST_SNAPSHOT', 'V_$TABLESPACE', 'V_$DATAFILE', 'V_$DATABASE', 'V_$INSTANCE', 'V_$LOG', 'V_$LOGFILE', 'V_$STANDBY_LOG',
        'V_$CONTROLFILE', 'V_$ASM_DISKGROUP_STAT', 'DBA_USERS', 'DBA_ROLES', 'DBA_ROLE_PRIVS', 'DBA_SYS_PRIVS', 'DBA_TAB_PRIVS',
        'DBA_COL_PRIVS', 'DBA_PROXIES', 'V_$PWFILE_USERS', 'DBA_SEGMENTS', 'DBA_INDEXES', 'DBA_LOBS', 'DBA_TABLES'
    )
union all
select lower(p.privilege) as view_name from sys.session_privs p
where p.privilege = 'SELECT ANY DICTIONARY'
