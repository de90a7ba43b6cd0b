-- Redo logs, including those of a standby, and control files. They belong to no tablespace and to no PDB but to the whole database, so only
-- the root, or a database without containers, is queried. Archived logs, flashback logs and mirroring are not included.
-- Parameters: none.
-- Returns: shared_bytes.
select
    (select coalesce(sum(l.bytes * l.members), 0) from sys.v_$log l)
    + (select coalesce(sum(s.bytes), 0) from sys.v_$standby_log s inner join sys.v_$logfile m on s.group# = m.group#)
    + (select coalesce(sum(c.block_size * c.file_size_blks), 0) from sys.v_$controlfile c) as shared_bytes
from sys.dual
