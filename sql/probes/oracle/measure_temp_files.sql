-- As measure_data_files.sql, for temporary tablespaces: their files are in another view, which requires its own privilege.
-- Parameters: none.
-- Returns: database_name, name_bytes, file_bytes, growth_limit_bytes, file_count, unsized_count (NULLs and 0 if no file is listed).
select
    t.tablespace_name as database_name,
    rawtohex(t.tablespace_name) as name_bytes,
    sum(f.bytes) as file_bytes,
    sum(case when f.autoextensible = 'YES' then greatest(f.maxbytes, f.bytes) else f.bytes end) as growth_limit_bytes,
    count(f.tablespace_name) as file_count,
    sum(case when f.tablespace_name is not null and f.bytes is null then 1 else 0 end) as unsized_count
from sys.dba_tablespaces t
left join sys.dba_temp_files f on t.tablespace_name = f.tablespace_name
where t.contents = 'TEMPORARY'
group by t.tablespace_name
