-- Which of the views that a visit reads the login may see.
-- Parameters: none.
-- Returns: view_name.
select view_name from all_views
where owner = 'SYS' and view_name in ('DBA_TABLESPACES', 'DBA_DATA_FILES', 'DBA_TEMP_FILES')
