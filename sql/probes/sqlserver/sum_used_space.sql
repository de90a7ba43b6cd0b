-- Space that the objects of one database have reserved in its data files (pages of 8 KB), which only the database itself knows. What an
-- open transaction is just changing is read as it is (nolock): to wait for it would cost more than these figures are worth.
-- Parameters: database_name, as a value and, composed, as a quoted name (not in this comment: a name may hold a line feed). The
-- statements of several databases are joined by union all.
-- Returns: database_name, used_bytes.
select
    cast(%(database_name)s as nvarchar(128)) as database_name,
    sum(cast(u.total_pages as bigint) * 8192) as used_bytes
from {database_name}.sys.allocation_units as u with (nolock)
