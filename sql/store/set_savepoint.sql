-- Begin a part of the transaction that can be rolled back alone.
-- Parameters: none.
-- Returns: nothing.
savepoint part_of_work
