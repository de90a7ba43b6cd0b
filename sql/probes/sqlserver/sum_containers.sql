-- Space of the FILESTREAM and memory-optimized containers of one database, which only that database reports (pages of 8 KB).
-- Parameters: database_name, composed as a quoted name (not in this comment: a name may contain a line feed).
-- Returns: container_bytes.
select sum(cast(f.size as bigint) * 8192) as container_bytes from {database_name}.sys.database_files as f
where f.type = 2 and f.state <> 7
