-- Where changes land by COPY; dropped at the end of the transaction.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists staged_changes (like capacity_changes) on commit delete rows
