-- Which of the views that a visit may read the login sees, by grant or by role. v$tablespace is a synonym of v_$tablespace.
-- Parameters: none.
-- Returns: view_name.
select lower(view_name) as view_name from all_views
where
    owner = 'SYS'
    and view_name in (
        'DBA_TABLESPACES', 'DBA_DATA_FILES', 'DBA_TEMP_FILES', 'DBA_TABLESPACE_USAGE_METRICS',
        'DBA_HIST_TBSPC_SPACE_USAGE', 'DBA_HIST_SNAPSHOT', 'V_$TABLESPACE'
    )
