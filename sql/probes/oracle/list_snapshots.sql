-- The sizes of this container's tablespaces in AWR, in blocks of each tablespace (Oracle 12.1 and later). Reading AWR requires a licence of
-- the Diagnostics Pack. Imported snapshots and those taken without the licence are omitted by their flag (2, 4). Each node of a cluster has
-- its own instant for the same snapshot. UTC is the server's local time minus snap_timezone.
-- Parameters: begins_at, ends_at (instants in UTC without a zone; ends_at is not included).
-- Returns: database_name, name_bytes, recorded_at (UTC), file_bytes, growth_limit_bytes, used_bytes.
select
    v.name as database_name,
    rawtohex(v.name) as name_bytes,
    max(s.end_interval_time - s.snap_timezone) as recorded_at,
    max(u.tablespace_size * t.block_size) as file_bytes,
    max(greatest(u.tablespace_maxsize, u.tablespace_size) * t.block_size) as growth_limit_bytes,
    max(u.tablespace_usedsize * t.block_size) as used_bytes
from sys.dba_hist_tbspc_space_usage u
inner join sys.dba_hist_snapshot s on u.dbid = s.dbid and u.snap_id = s.snap_id
inner join sys.v_$tablespace v on u.tablespace_id = v.ts# and u.con_id = v.con_id
inner join sys.dba_tablespaces t on v.name = t.tablespace_name
where
    u.con_id = cast(sys_context('USERENV', 'CON_ID') as integer)
    and u.tablespace_size is not null
    and s.snap_flag in (0, 1)
    and s.end_interval_time - s.snap_timezone >= %(begins_at)s
    and s.end_interval_time - s.snap_timezone < %(ends_at)s
group by v.name, u.dbid, u.snap_id
