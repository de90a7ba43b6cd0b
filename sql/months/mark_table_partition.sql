-- Say on a month that maintenance is about to detach it, so that an interrupted maintenance is recognised by the next one.
-- Parameters: table_partition (identifiers), mark (a literal, or NULL: the month stays).
-- Returns: nothing. `list_detached` reads the mark.
comment on table {table_partition} is {mark}
