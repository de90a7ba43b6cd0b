-- A second table, which will grow.
-- Parameters: none.
-- Returns: nothing.
create table if not exists order_lines as
select
    g as line_id,
    repeat(md5(g::text), 8) as payload
from generate_series(1, 5000) as g
