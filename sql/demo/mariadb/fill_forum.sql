-- Rows of about 300 bytes, once.
-- Parameters: none.
-- Returns: nothing.
insert into forum.entries (entry_id, payload)
select
    seq,
    repeat(md5(seq), 8)
from forum.seq_1_to_25000
where not exists (select 1 from forum.entries)
