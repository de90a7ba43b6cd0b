-- Rows of about 300 bytes, so that the databases of the demo differ clearly in size; once.
-- Parameters: row_count (integer).
-- Returns: nothing.
create table if not exists entries as
select
    g as entry_id,
    repeat(md5(g::text), 8) as payload
from generate_series(1, %(row_count)s) as g
