-- Mark a month that maintenance is about to detach, so that the next maintenance recognises an interrupted one.
-- Parameters: table_partition (identifiers), mark (a literal, or NULL: the month stays).
-- Returns: nothing. `list_detached` reads the mark.
comment on table {table_partition} is {mark}
