-- A table for rows of about 300 bytes.
-- Parameters: none.
-- Returns: nothing.
create table if not exists wordpress.entries (entry_id integer primary key, payload text not null)
