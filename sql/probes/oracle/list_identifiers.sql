-- What identifies the tablespaces of this container besides their names (Oracle 12.1 and later). A rename keeps the number. A tablespace
-- that is dropped and created again under its name may get the same number, but its first file, which cannot be dropped alone, is created
-- by a later change. Temporary files are recreated automatically, so that a temporary tablespace is identified by its number alone.
-- Parameters: none.
-- Returns: database_name, name_bytes, tablespace_number, created_at_change (NULL for a temporary one).
select
    t.name as database_name,
    rawtohex(t.name) as name_bytes,
    t.ts# as tablespace_number,
    min(f.creation_change#) as created_at_change
from sys.v_$tablespace t
left join sys.v_$datafile f on t.ts# = f.ts# and t.con_id = f.con_id
where t.con_id = cast(sys_context('USERENV', 'CON_ID') as integer)
group by t.name, t.ts#
