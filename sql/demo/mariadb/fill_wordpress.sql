-- Rows of about 300 bytes, once.
-- Parameters: none.
-- Returns: nothing.
insert into wordpress.entries (entry_id, payload)
select
    seq,
    repeat(md5(seq), 8)
from wordpress.seq_1_to_70000
where not exists (select 1 from wordpress.entries)
