-- The disk groups of ASM on which the database is. A file system is not known to Oracle.
-- Parameters: none.
-- Returns: volume, total_mebibytes (of the disks), copies (of each file, by mirroring), usable_mebibytes (of files; Oracle keeps room to
-- mirror again what a failed disk had, so that it may be less than nothing). Source: v$asm_diskgroup_stat, which reads no disk.
select
    g.name as volume,
    g.total_mb as total_mebibytes,
    case g.type when 'HIGH' then 3 when 'NORMAL' then 2 else 1 end as copies,
    g.usable_file_mb as usable_mebibytes
from sys.v_$asm_diskgroup_stat g
