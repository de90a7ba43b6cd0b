-- Space that the objects of one database have reserved in its data files, which only that database reports (pages of 8 KB). Uncommitted
-- changes are read (nolock): these figures are not worth waiting for locks.
-- Parameters: database_name, as a value and, composed, as a quoted name (not in this comment: a name may contain a line feed). The
-- statements of several databases are joined by union all.
-- Returns: database_name, used_bytes.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    sum(cast(u.total_pages as bigint) * 8192) as used_bytes
from {database_name}.sys.allocation_units as u with (nolock)
