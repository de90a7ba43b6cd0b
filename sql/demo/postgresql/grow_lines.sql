-- What grew since yesterday: one table, by 20 MB.
-- Parameters: none.
-- Returns: nothing.
insert into order_lines (line_id, payload)
select
    g,
    repeat(md5(g::text), 8)
from generate_series(5001, 75000) as g
