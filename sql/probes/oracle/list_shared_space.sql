-- Redo logs, including those of a standby, and control files. They belong to no tablespace and to no PDB but to the whole database, so only
-- the root, or a database without containers, is queried. Archived logs, flashback logs and mirroring are not included.
-- Parameters: none.
-- Returns: part (redo, standby_redo, control_files), total_bytes.
select
    'redo' as part,
    coalesce(sum(l.bytes * l.members), 0) as total_bytes
from sys.v_$log l
union all
select
    'standby_redo' as part,
    coalesce(sum(s.bytes), 0) as total_bytes
from sys.v_$standby_log s inner join sys.v_$logfile m on s.group# = m.group#
union all
select
    'control_files' as part,
    coalesce(sum(c.block_size * c.file_size_blks), 0) as total_bytes
from sys.v_$controlfile c
