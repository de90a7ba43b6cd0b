-- Allocated space of every database, data and log separately, whether the database is online or not: from master's list of files.
-- Traps: sizes are int pages of 8 KB, whose sum overflows at 16 TB (8115) without a cast; a defunct file (7) takes no space; a FILESTREAM
-- or memory-optimized container (type 2) has 0 pages here and is counted, so that sum_containers.sql is run for it. The limit of a file
-- that cannot grow (growth 0, max_size 0) is its size; a file without a limit (-1) leaves the database without one.
-- A login with access to a database may see only some of its objects because of DENY VIEW DEFINITION; then its used space is not queried.
-- Parameters: none.
-- Returns: name_bytes (UTF-16), state_desc, data_bytes and log_bytes (NULL if the files are invisible to the login), container_count,
-- growth_limit_bytes, shows_all (1 or 0).
select
    cast(d.name as varbinary(256)) as name_bytes,
    d.state_desc,
    sum(case when f.type in (0, 4) then cast(f.size as bigint) * 8192 end) as data_bytes,
    sum(case when f.type = 1 then cast(f.size as bigint) * 8192 end) as log_bytes,
    sum(case when f.type = 2 then 1 else 0 end) as container_count,
    case
        when sum(case when f.type = 2 or (f.growth <> 0 and f.max_size = -1) then 1 else 0 end) = 0
            then sum(cast(case when f.growth = 0 or f.max_size = 0 then f.size else f.max_size end as bigint) * 8192)
    end as growth_limit_bytes,
    case
        when d.state_desc = 'ONLINE' and has_perms_by_name(quotename(d.name), 'DATABASE', 'VIEW DEFINITION') = 1
            then has_dbaccess(d.name)
        else 0
    end as shows_all
from sys.databases as d
left outer join sys.master_files as f on d.database_id = f.database_id and f.state <> 7
where d.source_database_id is null
group by d.database_id, d.name, d.state_desc
