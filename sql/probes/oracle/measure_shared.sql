-- Redo logs, those of a standby included, and control files: they belong to no tablespace, and to no PDB, but to the whole database, so
-- that only its root or a database without containers is asked. Archived and flashback logs are not known here, nor is mirroring.
-- Parameters: none.
-- Returns: shared_bytes.
select
    (select coalesce(sum(l.bytes * l.members), 0) from sys.v_$log l)
    + (select coalesce(sum(s.bytes), 0) from sys.v_$standby_log s inner join sys.v_$logfile m on s.group# = m.group#)
    + (select coalesce(sum(c.block_size * c.file_size_blks), 0) from sys.v_$controlfile c) as shared_bytes
from sys.dual
