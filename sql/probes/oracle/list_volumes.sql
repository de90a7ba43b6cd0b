-- The disk groups of ASM on which the database is. A file system is not known to Oracle.
-- Parameters: none.
-- Returns: volume, total_bytes, free_bytes (of what mirroring leaves). Source: v$asm_diskgroup_stat, which reads no disk.
select
    g.name as volume,
    g.total_mb * 1048576 as total_bytes,
    g.free_mb * 1048576 as free_bytes
from sys.v_$asm_diskgroup_stat g
